// Streams beside each other: transactions, their conflicts, and many at once.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { column, fails, freshClient, version } from '../support/hrana.js';

const schema = 'CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)';
const all = 'SELECT id FROM t ORDER BY id';

/** Two streams on a new database. */
async function two() {
  const client = await freshClient(schema);
  return [client.openStream(), client.openStream()];
}

test('transactions: commit', async () => {
  const [writer, reader] = await two();
  await writer.run('BEGIN');
  await writer.run("INSERT INTO t VALUES (1, 'a')");
  assert.deepEqual([await column(writer, all), await column(reader, all)], [[1], []]);
  await writer.run('COMMIT');
  assert.deepEqual(await column(reader, all), [1]);
});

test('transactions: rollback', async () => {
  const [writer, reader] = await two();
  await writer.run('BEGIN');
  await writer.run("INSERT INTO t VALUES (1, 'a')");
  await writer.run('ROLLBACK');
  await reader.run("INSERT INTO t VALUES (2, 'b')");
  assert.deepEqual(await column(writer, all), [2]);
});

test('transactions: a stream that is closed rolls back at once', async () => {
  const [writer, other] = await two();
  await writer.run('BEGIN IMMEDIATE');
  await writer.run("INSERT INTO t VALUES (1, 'a')");
  const start = Date.now();
  writer.close();
  await other.run("INSERT INTO t VALUES (2, 'b')");
  assert.ok(Date.now() - start < 5000, 'the closed transaction was still in the way');
  assert.deepEqual(await column(other, all), [2]);
});

test('transactions: a failing statement leaves the transaction usable', async () => {
  const [writer, reader] = await two();
  await writer.run('BEGIN');
  await writer.run("INSERT INTO t VALUES (1, 'a')");
  await assert.rejects(writer.run("INSERT INTO t VALUES (1, 'b')"), fails('SQLITE_CONSTRAINT', /UNIQUE constraint failed: t\.id/));
  await writer.run("INSERT INTO t VALUES (2, 'b')");
  await writer.run('COMMIT');
  assert.deepEqual(await column(reader, all), [1, 2]);
});

test('transactions: a stream knows whether it is in one', { skip: version < 3 }, async () => {
  const [stream] = await two();
  const seen = [];
  for (const sql of ['SELECT 1', 'BEGIN', 'SELECT 2', 'COMMIT']) {
    await stream.run(sql);
    seen.push(await stream.getAutocommit());
  }
  assert.deepEqual(seen, [true, false, false, true]);
});

test('conflicts: of two that read and then write, the second is told', async () => {
  const [first, second] = await two();
  for (const stream of [first, second]) {
    await stream.run('BEGIN');
    assert.deepEqual(await column(stream, all), []);
  }
  await first.run("INSERT INTO t VALUES (1, 'a')");
  await first.run('COMMIT');
  await assert.rejects(second.run("INSERT INTO t VALUES (2, 'b')"), fails('SQLITE_BUSY', /database is locked/));
  await second.run('ROLLBACK');
  assert.deepEqual(await column(second, all), [1]);
});

test('conflicts: a second writer waits for the first, readers do not', async () => {
  const [first, second] = await two();
  await first.run('BEGIN IMMEDIATE');
  await first.run("INSERT INTO t VALUES (1, 'a')");
  assert.deepEqual(await column(second, all), []);
  const waiting = second.run("INSERT INTO t SELECT max(id) + 1, 'b' FROM t");
  await first.run('COMMIT');
  await waiting;
  assert.deepEqual(await column(first, all), [1, 2]);
});

test('parallel: requests of one stream are answered in order', async () => {
  const [stream] = await two();
  const results = Array.from({ length: 50 }, (_, i) => stream.queryValue(['INSERT INTO t VALUES (NULL, ?) RETURNING id', [`n${i}`]]));
  assert.deepEqual((await Promise.all(results)).map((result) => result.value), Array.from({ length: 50 }, (_, i) => i + 1));
});

test('parallel: 50 streams at once', async () => {
  const client = await freshClient(schema);
  const streams = Array.from({ length: 50 }, () => client.openStream());
  await Promise.all(streams.map((stream, i) => stream.run(['INSERT INTO t VALUES (?, ?)', [i, `n${i}`]])));
  const counts = await Promise.all(streams.map((stream) => column(stream, 'SELECT count(*) FROM t')));
  assert.deepEqual(counts.flat(), Array(50).fill(50));
  for (const stream of streams) stream.closeGracefully();
});
