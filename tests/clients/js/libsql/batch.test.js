// Batches: one transaction per batch in every mode, and migrations.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { column, freshClient, isAtLeast, libsqlError } from '../support/libsql.js';

const schema = 'CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE)';

for (const mode of ['write', 'deferred']) {
  test(`batches: a ${mode} batch writes and reads its own writes`, async () => {
    const client = await freshClient({ schema });
    const results = await client.batch(
      [
        { sql: 'INSERT INTO t (name) VALUES (?)', args: ['a'] },
        { sql: 'INSERT INTO t (name) VALUES (:name)', args: { name: 'b' } },
        'SELECT name FROM t ORDER BY id',
      ],
      mode,
    );
    assert.deepEqual(results.map((result) => result.rowsAffected), [1, 1, 0]);
    assert.equal(results[1].lastInsertRowid, 2n);
    assert.deepEqual(results[2].rows.map((row) => row.name), ['a', 'b']);
  });

  test(`batches: a failing ${mode} batch changes nothing`, async () => {
    const client = await freshClient({ schema });
    const batch = client.batch(
      ["INSERT INTO t VALUES (1, 'a')", "INSERT INTO t VALUES (2, 'a')", "INSERT INTO t VALUES (3, 'c')"],
      mode,
    );
    await assert.rejects(batch, (error) => {
      assert.equal(error.code, 'SQLITE_CONSTRAINT');
      if (isAtLeast('0.18.0')) assert.equal(error.statementIndex, 1);
      return true;
    });
    assert.deepEqual(await column(client, 'SELECT * FROM t'), []);
    // Nor does it leave a transaction open in anybody's way.
    await client.execute("INSERT INTO t VALUES (1, 'a')");
  });
}

test('batches: a read batch reads', async () => {
  const client = await freshClient({ schema });
  const results = await client.batch(['SELECT 1 AS a', 'SELECT count(*) FROM t'], 'read');
  assert.deepEqual(results.map((result) => result.rows[0][0]), [1, 0]);
});

test('batches: a read batch cannot write', async () => {
  const client = await freshClient({ schema });
  await assert.rejects(client.batch(["INSERT INTO t VALUES (1, 'a')"], 'read'), (error) => {
    assert.match(error.code, /^SQLITE_/);
    return true;
  });
  assert.deepEqual(await column(client, 'SELECT * FROM t'), []);
});

test('batches: DDL takes part in the batch', async () => {
  const client = await freshClient();
  const batch = client.batch(['CREATE TABLE a (x)', 'CREATE TABLE b (x)', 'CREATE TABLE a (x)'], 'write');
  await assert.rejects(batch, libsqlErrorOf(/table a already exists/));
  assert.deepEqual(await column(client, 'SELECT name FROM sqlite_schema'), []);
});

test('batches: an empty batch and one of 1,000 statements', async () => {
  const client = await freshClient({ schema, largeReplies: true });
  assert.deepEqual(await client.batch([], 'write'), []);
  const inserts = Array.from({ length: 1000 }, (_, index) => ({
    sql: index % 2 ? 'INSERT INTO t VALUES (?, ?)' : `INSERT INTO t (id, name) VALUES (?, ? || '${index}')`,
    args: [index, `n${index}`],
  }));
  const results = await client.batch(inserts, 'write');
  assert.equal(results.length, 1000);
  assert.deepEqual(await column(client, 'SELECT count(*) FROM t'), [1000]);
});

test('batches: statements longer than 5,000 bytes', async () => {
  const client = await freshClient({ largeReplies: true });
  const long = `SELECT '${'x'.repeat(20_000)}' AS a`;
  const results = await client.batch([long, long], 'read');
  assert.deepEqual(results.map((result) => result.rows[0].a.length), [20_000, 20_000]);
});

const noMigrate = { skip: !isAtLeast('0.14.0') };

test('scripts: migrate() changes the schema below foreign keys', noMigrate, async () => {
  const client = await freshClient({
    schema: `${schema}; CREATE TABLE u (t INTEGER REFERENCES t (id));
      INSERT INTO t VALUES (1, 'a'); INSERT INTO u VALUES (1);`,
  });
  // The way SQLite's documentation gives for changes that ALTER TABLE cannot do.
  await client.migrate([
    'CREATE TABLE new_t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, age INTEGER DEFAULT 7)',
    'INSERT INTO new_t (id, name) SELECT id, name FROM t',
    'DROP TABLE t',
    'ALTER TABLE new_t RENAME TO t',
  ]);
  assert.deepEqual(await column(client, 'SELECT age FROM t JOIN u ON u.t = t.id'), [7]);
  const orphan = client.execute('INSERT INTO u VALUES (99)');
  await assert.rejects(orphan, libsqlError('SQLITE_CONSTRAINT', /FOREIGN KEY/));
});

test('scripts: a failing migrate() changes nothing', noMigrate, async () => {
  const client = await freshClient({ schema });
  const migration = client.migrate(['ALTER TABLE t ADD COLUMN age INTEGER', 'ALTER TABLE nowhere ADD COLUMN a']);
  await assert.rejects(migration, libsqlErrorOf(/no such table: nowhere/));
  assert.deepEqual((await client.execute('SELECT * FROM t')).columns, ['id', 'name']);
});

function libsqlErrorOf(message) {
  return libsqlError('SQLITE_ERROR', message);
}
