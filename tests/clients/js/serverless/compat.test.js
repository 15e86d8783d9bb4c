// @tursodatabase/serverless/compat: the interface of @libsql/client on the other driver.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { LibsqlError, createClient } from '@tursodatabase/serverless/compat';

import { createDatabase } from '../support/server.js';

const schema = 'CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE)';

async function freshClient(script = schema) {
  const client = createClient({ url: await createDatabase() });
  after(() => client.close());
  await client.executeMultiple(script);
  return client;
}

const names = async (client) => {
  const { rows } = await client.execute('SELECT name FROM t ORDER BY id');
  return rows.map((row) => row.name);
};

const libsqlError = (code, message) => (error) => {
  assert.ok(error instanceof LibsqlError, error);
  assert.equal(error.code, code);
  assert.match(error.message, message);
  return true;
};

test('basics: arguments, counts and columns', async () => {
  const client = await freshClient();
  const inserted = await client.execute('INSERT INTO t (name) VALUES (?)', ['a']);
  assert.deepEqual([inserted.rowsAffected, inserted.lastInsertRowid], [1, 1n]);
  const result = await client.execute({ sql: 'SELECT id, name FROM t WHERE name = ?', args: ['a'] });
  assert.deepEqual([result.columns, result.columnTypes], [['id', 'name'], ['INTEGER', 'TEXT']]);
  assert.deepEqual(Array.from(result.rows[0]), [1, 'a']);
  const duplicate = client.execute("INSERT INTO t (name) VALUES ('a')");
  await assert.rejects(duplicate, libsqlError('SQLITE_CONSTRAINT', /t\.name/));
});

test('batches: a batch is atomic', async () => {
  const client = await freshClient();
  const results = await client.batch(["INSERT INTO t VALUES (1, 'a')", 'SELECT name FROM t'], 'write');
  assert.deepEqual(results[1].rows, [{ name: 'a' }]);
  const batch = client.batch(["INSERT INTO t VALUES (2, 'b')", "INSERT INTO t VALUES (2, 'c')"]);
  await assert.rejects(batch, libsqlError('SQLITE_CONSTRAINT', /t\.id/));
  assert.deepEqual(await names(client), ['a']);
});

test('scripts: migrate() is atomic', async () => {
  const client = await freshClient();
  await client.migrate(['ALTER TABLE t ADD COLUMN age INTEGER DEFAULT 7']);
  const migration = client.migrate(['ALTER TABLE t ADD COLUMN size INTEGER', 'DROP TABLE nowhere']);
  await assert.rejects(migration, libsqlError('SQLITE_ERROR', /no such table: nowhere/));
  assert.deepEqual((await client.execute('SELECT * FROM t')).columns, ['id', 'name', 'age']);
});

test('transactions: they commit, roll back and close', async () => {
  const client = await freshClient();
  const begin = async (name) => {
    const transaction = await client.transaction('write');
    await transaction.execute({ sql: 'INSERT INTO t (name) VALUES (?)', args: [name] });
    return transaction;
  };
  await (await begin('a')).commit();
  await (await begin('b')).rollback();
  (await begin('c')).close();
  const last = await begin('d');
  await last.batch(["INSERT INTO t (name) VALUES ('e')"]);
  await last.executeMultiple("INSERT INTO t (name) VALUES ('f'); INSERT INTO t (name) VALUES ('g')");
  await last.commit();
  assert.deepEqual(await names(client), ['a', 'd', 'e', 'f', 'g']);
});
