// Interactive transactions, alone and against each other.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { column, freshClient, libsqlError } from '../support/libsql.js';

const schema = 'CREATE TABLE t (a INTEGER PRIMARY KEY)';
const all = 'SELECT a FROM t ORDER BY a';

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** What others see. */
const committed = (client) => column(client, all);

test('transactions: commit', async () => {
  const client = await freshClient({ schema });
  const transaction = await client.transaction('write');
  await transaction.execute('INSERT INTO t VALUES (1)');
  await transaction.batch([{ sql: 'INSERT INTO t VALUES (?)', args: [2] }, 'INSERT INTO t VALUES (3)']);
  await transaction.executeMultiple('INSERT INTO t VALUES (4); INSERT INTO t VALUES (5)');
  assert.deepEqual(await column(transaction, all), [1, 2, 3, 4, 5]);
  assert.deepEqual(await committed(client), []);
  await transaction.commit();
  assert.equal(transaction.closed, true);
  assert.deepEqual(await committed(client), [1, 2, 3, 4, 5]);
});

test('transactions: rollback', async () => {
  const client = await freshClient({ schema });
  const transaction = await client.transaction('write');
  await transaction.execute('INSERT INTO t VALUES (1)');
  await transaction.rollback();
  assert.deepEqual(await committed(client), []);
  await client.execute('INSERT INTO t VALUES (2)');
});

test('transactions: close without commit', async () => {
  const client = await freshClient({ schema });
  const transaction = await client.transaction('write');
  await transaction.execute('INSERT INTO t VALUES (1)');
  transaction.close();
  assert.equal(transaction.closed, true);
  await assert.rejects(transaction.execute(all), libsqlError('TRANSACTION_CLOSED'));
  // The next writer does not have to wait for any limit of idleness.
  const start = Date.now();
  await client.execute('INSERT INTO t VALUES (2)');
  assert.ok(Date.now() - start < 5000, 'the closed transaction was still in the way');
  assert.deepEqual(await committed(client), [2]);
});

test('transactions: a failing statement leaves the transaction usable', async () => {
  const client = await freshClient({ schema });
  const transaction = await client.transaction('write');
  await transaction.execute('INSERT INTO t VALUES (1)');
  await assert.rejects(transaction.execute('INSERT INTO t VALUES (1)'), libsqlError('SQLITE_CONSTRAINT'));
  await transaction.execute('INSERT INTO t VALUES (2)');
  await transaction.commit();
  assert.deepEqual(await committed(client), [1, 2]);
});

test('transactions: a failing BEGIN of nothing: commit and rollback of an unused transaction', async () => {
  const client = await freshClient({ schema });
  await (await client.transaction('write')).commit();
  await (await client.transaction('deferred')).rollback();
  assert.deepEqual(await committed(client), []);
});

test('transactions: a read transaction sees one state, and cannot write', async () => {
  const client = await freshClient({ schema });
  const reader = await client.transaction('read');
  assert.deepEqual(await column(reader, all), []);
  await client.execute('INSERT INTO t VALUES (1)');
  assert.deepEqual(await column(reader, all), []);
  await assert.rejects(reader.execute('INSERT INTO t VALUES (2)'), (error) => {
    assert.match(error.code, /^SQLITE_/);
    return true;
  });
  reader.close();
  assert.deepEqual(await committed(client), [1]);
});

test('conflicts: readers do not wait for a writer', async () => {
  const client = await freshClient({ schema });
  const writer = await client.transaction('write');
  await writer.execute('INSERT INTO t VALUES (1)');
  for (let round = 0; round < 20; round += 1) {
    assert.deepEqual(await committed(client), []);
  }
  await writer.commit();
});

test('conflicts: a second writer waits for the first', async () => {
  const client = await freshClient({ schema });
  const first = await client.transaction('write');
  await first.execute('INSERT INTO t VALUES (1)');
  const second = await client.transaction('write');
  let secondIsIn = false;
  const seen = column(second, all).then((rows) => {
    secondIsIn = true;
    return rows;
  });
  // Two requests that are sent at once may arrive in any order.
  await pause(200);
  const third = client.execute('INSERT INTO t VALUES (3)');
  await pause(200);
  assert.equal(secondIsIn, false);
  await first.commit();
  assert.deepEqual(await seen, [1]);
  await second.execute('INSERT INTO t VALUES (2)');
  await second.commit();
  await third;
  assert.deepEqual(await committed(client), [1, 2, 3]);
});

test('conflicts: of two that read and then write, the second is told of the conflict', async () => {
  const client = await freshClient({ schema });
  const [first, second] = [await client.transaction('deferred'), await client.transaction('deferred')];
  assert.deepEqual(await column(first, all), []);
  assert.deepEqual(await column(second, all), []);
  await first.execute('INSERT INTO t VALUES (1)');
  await first.commit();
  await assert.rejects(second.execute('INSERT INTO t VALUES (2)'), libsqlError('SQLITE_BUSY'));
  await second.rollback();
  assert.deepEqual(await committed(client), [1]);
});

test('transactions: a transaction with many requests', async () => {
  const client = await freshClient({ schema });
  const transaction = await client.transaction('write');
  for (let a = 0; a < 200; a += 1) {
    await transaction.execute({ sql: 'INSERT INTO t VALUES (?)', args: [a] });
  }
  await transaction.commit();
  assert.equal((await committed(client)).length, 200);
});

test('transactions: a transaction that was ended by SQL cannot be committed', async () => {
  const client = await freshClient({ schema });
  const transaction = await client.transaction('write');
  await transaction.execute('INSERT INTO t VALUES (1)');
  await transaction.execute('ROLLBACK');
  await assert.rejects(transaction.commit(), libsqlError('SQLITE_ERROR', /no transaction is active/));
  assert.deepEqual(await committed(client), []);
});
