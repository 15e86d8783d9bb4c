// Single statements: values, arguments, what is said of a statement, errors.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Stmt } from '@libsql/hrana-client';

import { createDatabase, serverUrl } from '../support/server.js';
import { column, connect, fails, freshStream, storeSql, version } from '../support/hrana.js';

const schema = 'CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)';

async function roundTrip(stream, value) {
  const { row } = await stream.queryRow(['SELECT ? AS a, typeof(?) AS b', [value, value]]);
  return [row.a, row.b];
}

test('values: texts and NULL', async () => {
  const stream = await freshStream();
  for (const text of ['', "it's", 'Grüße, 世界 🎉', '\u0001\n\t"\\', 'x'.repeat(300_000)]) {
    assert.deepEqual(await roundTrip(stream, text), [text, 'text']);
  }
  assert.deepEqual(await roundTrip(stream, null), [null, 'null']);
});

test('values: numbers keep every bit', async () => {
  const stream = await freshStream();
  for (const number of [0.5, -0.25, 1e300, 5e-324, 0.1, 2.2250738585072011e-308, Number.MAX_VALUE, 9007199254740991]) {
    assert.deepEqual(await roundTrip(stream, number), [number, 'real']);
  }
});

test('values: blobs', async () => {
  const stream = await freshStream();
  for (const length of [0, 1, 2, 3, 4, 70_000]) {
    const bytes = Uint8Array.from({ length }, (_, index) => index * 31 + (index >> 8));
    const [value, type] = await roundTrip(stream, bytes);
    assert.equal(type, 'blob');
    assert.deepEqual(new Uint8Array(value), bytes);
  }
});

test('int64: integers of 64 bits', async () => {
  const stream = await freshStream();
  stream.intMode = 'bigint';
  for (const integer of [0n, -1n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)]) {
    assert.deepEqual(await roundTrip(stream, integer), [integer, 'integer']);
  }
});

test('int64: a rowid of 64 bits', async () => {
  const stream = await freshStream(schema);
  const { lastInsertRowid } = await stream.run("INSERT INTO t VALUES (9223372036854775807, 'a')");
  assert.equal(lastInsertRowid, 9223372036854775807n);
});

test('basics: arguments by position and by name', async () => {
  const stream = await freshStream();
  assert.equal((await stream.queryValue(['SELECT ?2 || ?1', ['a', 'b']])).value, 'ba');
  for (const names of [['a', 'b', 'c'], [':a', '@b', '$c']]) {
    const stmt = new Stmt('SELECT :a || @b || $c');
    names.forEach((name, index) => stmt.bindName(name, `${index}`));
    assert.equal((await stream.queryValue(stmt)).value, '012');
  }
});

test('basics: what a statement did, and the columns of its rows', async () => {
  const stream = await freshStream(schema);
  const inserted = await stream.run("INSERT INTO t (name) VALUES ('a'), ('b') RETURNING id");
  assert.deepEqual([inserted.affectedRowCount, inserted.lastInsertRowid], [2, 2n]);
  const { columnNames, columnDecltypes, rows } = await stream.query('SELECT id, name AS n, 1 + 1 FROM t');
  assert.deepEqual(columnNames, ['id', 'n', '1 + 1']);
  if (version >= 2) assert.deepEqual(columnDecltypes, ['INTEGER', 'TEXT', undefined]);
  assert.deepEqual(rows.map((row) => ({ ...row })), [{ id: 1, n: 'a', '1 + 1': 2 }, { id: 2, n: 'b', '1 + 1': 2 }]);
});

const since = (wanted) => ({ skip: version < wanted });

test('basics: describe', since(2), async () => {
  const stream = await freshStream(schema);
  const described = await stream.describe('SELECT id, name AS n FROM t WHERE id = :a OR id = ?');
  assert.deepEqual(described, {
    paramNames: [':a', undefined],
    columns: [{ name: 'id', decltype: 'INTEGER' }, { name: 'n', decltype: 'TEXT' }],
    isExplain: false,
    isReadonly: true,
  });
  assert.equal((await stream.describe('DELETE FROM t')).isReadonly, false);
  await assert.rejects(stream.describe('SELECT * FROM nowhere'), fails('SQLITE_ERROR', /no such table: nowhere/));
});

test('basics: stored texts', since(2), async () => {
  const stream = await freshStream(schema);
  const [insert, select] = ['INSERT INTO t VALUES (?, ?)', 'SELECT name FROM t ORDER BY id'].map((sql) => storeSql(stream, sql));
  for (const args of [[1, 'a'], [2, 'b']]) await stream.run([insert, args]);
  insert.close();
  assert.deepEqual(await column(stream, select), ['a', 'b']);
});

test('scripts: a sequence executes all, or stops at a mistake', since(2), async () => {
  const stream = await freshStream();
  await stream.sequence(`${schema}; -- one; more\nINSERT INTO t VALUES (1, 'a;');`);
  const wrong = stream.sequence("INSERT INTO t VALUES (2, 'b'); INSERT INTO nowhere VALUES (1); DELETE FROM t");
  await assert.rejects(wrong, fails('SQLITE_ERROR', /no such table: nowhere/));
  assert.deepEqual(await column(stream, 'SELECT name FROM t ORDER BY id'), ['a;', 'b']);
});

test('scripts: a stored sequence', since(2), async () => {
  const stream = await freshStream(schema);
  const sequence = storeSql(stream, "INSERT INTO t VALUES (1, 'a'); INSERT INTO t VALUES (2, 'b')");
  await stream.sequence(sequence);
  assert.deepEqual(await column(stream, 'SELECT name FROM t ORDER BY id'), ['a', 'b']);
});

test('errors: they have their codes, and the stream goes on', async () => {
  const stream = await freshStream(schema, "INSERT INTO t VALUES (1, 'a')");
  const wrong = (stmt, code, message) => assert.rejects(stream.query(stmt), fails(code, message));
  await wrong("INSERT INTO t VALUES (2, 'a')", 'SQLITE_CONSTRAINT', /UNIQUE constraint failed: t\.name/);
  await wrong('INSERT INTO t VALUES (2, NULL)', 'SQLITE_CONSTRAINT', /NOT NULL constraint failed: t\.name/);
  await wrong('SELECT * FROM nowhere', 'SQLITE_ERROR', /no such table: nowhere/);
  await wrong('SELEKT 1', 'SQLITE_ERROR', /near "SELEKT": syntax error/);
  await wrong('SELECT 1; SELECT 2', 'SQL_MANY_STATEMENTS', /./);
  await wrong('', 'SQL_NO_STATEMENT', /./);
  await wrong('SELECT ?', 'ARGS_INVALID', /./);
  await wrong(['SELECT ?', [1, 2]], 'ARGS_INVALID', /./);
  assert.deepEqual(await column(stream, 'SELECT name FROM t'), ['a']);
});

test('errors: a database that does not exist is named', async () => {
  const attempt = connect(`${serverUrl}/db/no-such-database/`).then((client) => client.openStream().query('SELECT 1'));
  await assert.rejects(attempt, /no-such-database|Unexpected server response: 404/);
});

test('errors: what is closed says so', async () => {
  const client = await connect(await createDatabase());
  const stream = client.openStream();
  await stream.query('SELECT 1');
  stream.close();
  await assert.rejects(async () => stream.query('SELECT 1'), { name: 'ClosedError' });
  client.close();
  await assert.rejects(async () => client.openStream().query('SELECT 1'), { name: 'ClosedError' });
});
