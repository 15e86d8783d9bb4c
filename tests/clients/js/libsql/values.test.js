// Every kind of value, there and back.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { connect, freshClient } from '../support/libsql.js';
import { createDatabase } from '../support/server.js';

const url = await createDatabase();
const client = connect(url);
const large = connect(url, { largeReplies: true });

async function roundTrip(value, through = client) {
  const result = await through.execute({ sql: 'SELECT ? AS a, typeof(?) AS b', args: [value, value] });
  return [result.rows[0].a, result.rows[0].b];
}

test('values: texts, also empty, long and of any script', async () => {
  for (const text of ['', 'a', "it's", 'Grüße, 世界 🎉', '\u0001\n\t"\\']) {
    assert.deepEqual(await roundTrip(text), [text, 'text']);
  }
  const long = 'x'.repeat(300_000);
  assert.deepEqual(await roundTrip(long, large), [long, 'text']);
});

test('values: null is null, and not an empty text', async () => {
  assert.deepEqual(await roundTrip(null), [null, 'null']);
  const result = await client.execute("SELECT '' IS NULL, NULL IS NULL");
  assert.deepEqual([result.rows[0][0], result.rows[0][1]], [0, 1]);
});

test('values: numbers keep every bit', async () => {
  const numbers = [0.5, -0.25, 1e300, 5e-324, 0.1, 2.2250738585072011e-308, Number.MAX_VALUE];
  for (const number of [...numbers, 9007199254740991, -9007199254740991, 3]) {
    assert.deepEqual(await roundTrip(number), [number, 'real']);
  }
});

test('values: a whole number in an INTEGER column is an integer', async () => {
  const table = await freshClient({ schema: 'CREATE TABLE t (n INTEGER)' });
  await table.execute({ sql: 'INSERT INTO t VALUES (?)', args: [42] });
  const { rows } = await table.execute('SELECT n, typeof(n) FROM t');
  assert.deepEqual([rows[0][0], rows[0][1]], [42, 'integer']);
});

test('values: booleans are 0 and 1, dates are milliseconds', async () => {
  assert.deepEqual(await roundTrip(true), [1, 'integer']);
  assert.deepEqual(await roundTrip(false), [0, 'integer']);
  const date = new Date('2024-09-16T12:00:00.123Z');
  assert.deepEqual(await roundTrip(date), [date.getTime(), 'real']);
});

test('int64: integers of 64 bits, with intMode bigint', async () => {
  const exact = connect(url, { intMode: 'bigint' });
  const integers = [0n, -1n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)];
  for (const integer of integers) {
    assert.deepEqual(await roundTrip(integer, exact), [integer, 'integer']);
  }
});

test('int64: integers as texts, with intMode string', async () => {
  const texts = connect(url, { intMode: 'string' });
  assert.deepEqual(await roundTrip(2n ** 63n - 1n, texts), ['9223372036854775807', 'integer']);
});

test('int64: an integer that a number cannot hold is refused, not rounded', async () => {
  await assert.rejects(client.execute('SELECT 9007199254740993'), RangeError);
  const { rows } = await client.execute('SELECT 9007199254740991');
  assert.equal(rows[0][0], 9007199254740991);
});

test('values: blobs of every length that base64 distinguishes', async () => {
  const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => index * 31 + (index >> 8));
  for (const length of [0, 1, 2, 3, 4, 255, 70_000]) {
    const [value, type] = await roundTrip(bytes.slice(0, length), large);
    assert.equal(type, 'blob');
    assert.deepEqual(new Uint8Array(value), bytes.slice(0, length));
  }
});

test('basics: columns have names and declared types', async () => {
  const table = await freshClient({ schema: 'CREATE TABLE t (id INTEGER PRIMARY KEY, "a b" VARCHAR(9))' });
  const result = await table.execute('SELECT id, "a b", 1 + 1 AS two FROM t');
  assert.deepEqual(result.columns, ['id', 'a b', 'two']);
  if (result.columnTypes) assert.deepEqual(result.columnTypes, ['INTEGER', 'VARCHAR(9)', '']);
  assert.deepEqual(result.rows, []);
});
