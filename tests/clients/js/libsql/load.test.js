// Much at once: large results and many callers.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { column, freshClient } from '../support/libsql.js';

const numbers = (count) =>
  `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`;

test('large: a result of 100,000 rows', async () => {
  const client = await freshClient({ largeReplies: true });
  const { rows } = await client.execute(`${numbers(100_000)} SELECT i, 'row ' || i, i / 2.0 FROM n`);
  assert.equal(rows.length, 100_000);
  rows.forEach((row, index) => {
    const i = index + 1;
    assert.ok(row[0] === i && row[1] === `row ${i}` && row[2] === i / 2, `row ${i}: ${JSON.stringify(row)}`);
  });
});

test('large: 100,000 rows written by one statement', async () => {
  const client = await freshClient({ schema: 'CREATE TABLE t (a)' });
  const { rowsAffected } = await client.execute(`INSERT INTO t ${numbers(100_000)} SELECT i FROM n`);
  assert.equal(rowsAffected, 100_000);
});

test('parallel: 50 parallel reads', async () => {
  const client = await freshClient();
  const calls = Array.from({ length: 50 }, (_, a) => column(client, 'SELECT ?', [a]));
  assert.deepEqual((await Promise.all(calls)).flat(), Array.from({ length: 50 }, (_, a) => a));
});

test('parallel: 50 parallel writes, of which none is refused or lost', async () => {
  const client = await freshClient({ schema: 'CREATE TABLE t (a INTEGER PRIMARY KEY, b)' });
  const insert = { sql: 'INSERT INTO t VALUES (?, ?)' };
  const calls = Array.from({ length: 50 }, (_, a) =>
    a % 2
      ? client.execute({ ...insert, args: [a, a] })
      : client.batch([{ ...insert, args: [a, 0] }, { sql: 'UPDATE t SET b = a WHERE a = ?', args: [a] }], 'write'),
  );
  await Promise.all(calls);
  assert.deepEqual(await column(client, 'SELECT count(*) FROM t WHERE a = b'), [50]);
});

test('parallel: 20 parallel transactions that count up', async () => {
  const client = await freshClient({ schema: 'CREATE TABLE t (n INTEGER); INSERT INTO t VALUES (0)' });
  const countUp = async () => {
    const transaction = await client.transaction('write');
    const [n] = await column(transaction, 'SELECT n FROM t');
    await transaction.execute({ sql: 'UPDATE t SET n = ?', args: [n + 1] });
    await transaction.commit();
  };
  await Promise.all(Array.from({ length: 20 }, countUp));
  assert.deepEqual(await column(client, 'SELECT n FROM t'), [20]);
});

test('parallel: databases side by side do not see each other', async () => {
  const clients = await Promise.all(
    Array.from({ length: 8 }, () => freshClient({ schema: 'CREATE TABLE t (a)' })),
  );
  await Promise.all(
    clients.flatMap((client, a) =>
      Array.from({ length: 10 }, () => client.execute({ sql: 'INSERT INTO t VALUES (?)', args: [a] })),
    ),
  );
  for (const [a, client] of clients.entries()) {
    assert.deepEqual(await column(client, 'SELECT DISTINCT a FROM t'), [a]);
    assert.deepEqual(await column(client, 'SELECT count(*) FROM t'), [10]);
  }
});
