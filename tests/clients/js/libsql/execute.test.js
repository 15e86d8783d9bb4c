// Single statements: arguments, counts, errors, and several statements in one text.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { column, connect, freshClient, isAtLeast, libsqlError } from '../support/libsql.js';
import { createDatabase } from '../support/server.js';

const schema = 'CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)';

test('basics: positional arguments', async () => {
  const client = await freshClient();
  const { rows } = await client.execute({ sql: 'SELECT ?, ?2, ?1', args: ['a', 'b'] });
  assert.deepEqual(Array.from(rows[0]), ['a', 'b', 'a']);
});

test('basics: named arguments, with and without their sign', async () => {
  const client = await freshClient();
  const sql = 'SELECT :a, @b, $c';
  for (const args of [{ a: 1, b: 2, c: 3 }, { ':a': 1, '@b': 2, $c: 3 }]) {
    const { rows } = await client.execute({ sql, args });
    assert.deepEqual(Array.from(rows[0]), [1, 2, 3]);
  }
});

test('basics: execute(sql, args), where the client has it', { skip: !isAtLeast('0.14.0') }, async () => {
  const client = await freshClient();
  const { rows } = await client.execute('SELECT ? AS a', ['x']);
  assert.equal(rows[0].a, 'x');
});

test('basics: a write says how many rows it affected, and the last rowid', async () => {
  const client = await freshClient({ schema });
  const inserted = await client.execute("INSERT INTO t (name) VALUES ('a'), ('b'), ('c')");
  assert.equal(inserted.rowsAffected, 3);
  assert.equal(inserted.lastInsertRowid, 3n);
  const updated = await client.execute("UPDATE t SET name = name || '!' WHERE id > 1");
  assert.equal(updated.rowsAffected, 2);
  const deleted = await client.execute('DELETE FROM t WHERE id > 100');
  assert.equal(deleted.rowsAffected, 0);
  const big = await client.execute("INSERT INTO t VALUES (9223372036854775807, 'big')");
  assert.equal(big.lastInsertRowid, 9223372036854775807n);
});

test('basics: RETURNING returns', async () => {
  const client = await freshClient({ schema });
  const result = await client.execute("INSERT INTO t (name) VALUES ('a') RETURNING id, name");
  assert.deepEqual({ ...result.rows[0] }, { id: 1, name: 'a' });
});

test('errors: a violated constraint is told as one', async () => {
  const client = await freshClient({ schema });
  await client.execute("INSERT INTO t VALUES (1, 'a')");
  const again = (sql, message) =>
    assert.rejects(client.execute(sql), libsqlError('SQLITE_CONSTRAINT', message));
  await again("INSERT INTO t VALUES (2, 'a')", /UNIQUE constraint failed: t\.name/);
  await again("INSERT INTO t VALUES (1, 'b')", /UNIQUE constraint failed: t\.id/);
  await again('INSERT INTO t VALUES (3, NULL)', /NOT NULL constraint failed: t\.name/);
  assert.deepEqual(await column(client, 'SELECT name FROM t'), ['a']);
});

test('errors: foreign keys are enforced', async () => {
  const client = await freshClient({ schema: `${schema}; CREATE TABLE u (t INTEGER REFERENCES t (id))` });
  const orphan = client.execute('INSERT INTO u VALUES (99)');
  await assert.rejects(orphan, libsqlError('SQLITE_CONSTRAINT', /FOREIGN KEY constraint failed/));
});

test('errors: mistakes in the SQL are named', async () => {
  const client = await freshClient();
  const fails = (sql, code, message) =>
    assert.rejects(client.execute(sql), libsqlError(code, message));
  await fails('SELECT * FROM nowhere', 'SQLITE_ERROR', /no such table: nowhere/);
  await fails('SELECT missing', 'SQLITE_ERROR', /no such column: missing/);
  await fails('SELEKT 1', 'SQLITE_ERROR', /near "SELEKT": syntax error/);
  await fails('', 'SQL_NO_STATEMENT');
  await fails('SELECT 1; SELECT 2', 'SQL_MANY_STATEMENTS');
  const surplus = client.execute({ sql: 'SELECT ?', args: [1, 2] });
  await assert.rejects(surplus, libsqlError('ARGS_INVALID'));
  assert.deepEqual(await column(client, 'SELECT 1'), [1]);
});

test('scripts: executeMultiple executes all statements', async () => {
  const client = await freshClient();
  await client.executeMultiple(`
    -- a comment; with a semicolon
    CREATE TABLE t (a TEXT);
    INSERT INTO t VALUES ('one; two');
    CREATE TRIGGER r AFTER INSERT ON t BEGIN UPDATE t SET a = a || '!'; SELECT 1; END;
    INSERT INTO t VALUES ('three');
  `);
  assert.deepEqual(await column(client, 'SELECT a FROM t'), ['one; two!', 'three!']);
});

test('scripts: executeMultiple stops at a mistake and keeps what came before', async () => {
  const client = await freshClient();
  const script = 'CREATE TABLE t (a); INSERT INTO t VALUES (1); INSERT INTO u VALUES (2); DELETE FROM t';
  await assert.rejects(client.executeMultiple(script), libsqlError('SQLITE_ERROR', /no such table: u/));
  assert.deepEqual(await column(client, 'SELECT a FROM t'), [1]);
});

test('scripts: executeMultiple that fails inside BEGIN leaves no transaction behind', async () => {
  const client = await freshClient({ schema });
  const script = "BEGIN; INSERT INTO t VALUES (1, 'a'); INSERT INTO u VALUES (2); COMMIT";
  await assert.rejects(client.executeMultiple(script));
  assert.deepEqual(await column(client, 'SELECT * FROM t'), []);
  await client.execute("INSERT INTO t VALUES (1, 'b')");
});

test('errors: a client that was closed says so', async () => {
  const client = connect(await createDatabase());
  await client.execute('SELECT 1');
  client.close();
  assert.equal(client.closed, true);
  await assert.rejects(client.execute('SELECT 1'));
});
