// Migrations of a schema database with two children, through the published client: by each of the ways in which it
// writes.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { connect, isAtLeast } from '../support/libsql.js';
import { createChild, createSchema, freshName } from '../support/server.js';

const tablesOf = async (client) => {
  const { rows } = await client.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
  return rows.map((row) => row.name);
};

/** A schema database and its children. */
async function family() {
  const name = freshName('schema');
  const schema = connect(await createSchema(name));
  const children = [];
  for (let count = 0; count < 2; count += 1) children.push(connect(await createChild(freshName('child'), name)));
  const everywhere = async (...tables) => {
    for (const client of [schema, ...children]) assert.deepEqual(await tablesOf(client), tables);
  };
  return { schema, children, everywhere };
}

for (const mode of ['write', 'read', 'deferred']) {
  test(`batch: in mode ${mode}`, async () => {
    const { schema, children, everywhere } = await family();
    const statements = ['CREATE TABLE a (id INTEGER PRIMARY KEY)', { sql: 'INSERT INTO a VALUES (?)', args: [7] }, 'SELECT id FROM a'];
    if (mode === 'read') {
      await assert.rejects(schema.batch(statements, mode));
      await everywhere();
      return;
    }
    const results = await schema.batch(statements, mode);
    assert.deepEqual(Array.from(results[2].rows[0]), [7]);
    await everywhere('a');
    assert.equal((await children[0].execute('SELECT id FROM a')).rows[0].id, 7);
  });
}

test('batch: what fails anywhere is nowhere', async () => {
  const { schema, children, everywhere } = await family();
  await schema.execute('CREATE TABLE a (id INTEGER PRIMARY KEY)');
  await children[1].execute('INSERT INTO a VALUES (1)');
  const failing = schema.batch(['CREATE TABLE b (id)', 'INSERT INTO a VALUES (1)'], 'write');
  await assert.rejects(failing, /step 2: .*UNIQUE constraint failed: a\.id/);
  await everywhere('a');
  await schema.execute('CREATE TABLE b (id)');
  await everywhere('a', 'b');
});

test('execute: one after the other', async () => {
  const { schema, everywhere } = await family();
  await schema.execute('CREATE TABLE a (id)');
  await schema.execute('CREATE TABLE b (id)');
  await schema.execute('DROP TABLE a');
  await everywhere('b');
});

test('executeMultiple: a script', async () => {
  const { schema, everywhere } = await family();
  await schema.executeMultiple('CREATE TABLE a (id); CREATE TABLE b (id); INSERT INTO a VALUES (1);');
  await everywhere('a', 'b');
  await schema.executeMultiple('BEGIN; CREATE TABLE c (id); COMMIT;');
  await everywhere('a', 'b', 'c');
});

test('transaction: one migration at its commit, of which reads inside know', async () => {
  const { schema, children, everywhere } = await family();
  const transaction = await schema.transaction('write');
  await transaction.execute('CREATE TABLE a (id)');
  await transaction.execute('INSERT INTO a VALUES (1)');
  assert.equal((await transaction.execute('SELECT count(*) AS n FROM a')).rows[0].n, 1);
  assert.deepEqual(await tablesOf(children[0]), []);
  await transaction.commit();
  await everywhere('a');
});

test('transaction: rolled back', async () => {
  const { schema, everywhere } = await family();
  const transaction = await schema.transaction('write');
  await transaction.execute('CREATE TABLE a (id)');
  await transaction.rollback();
  await everywhere();
  await schema.execute('CREATE TABLE b (id)');
  await everywhere('b');
});

test('migrate: tables are rebuilt below those that refer to them', async (t) => {
  const { schema, children, everywhere } = await family();
  if (schema.migrate === undefined) return t.skip('not in this version');
  assert.ok(isAtLeast('0.8.0'));
  await schema.migrate(['CREATE TABLE a (id INTEGER PRIMARY KEY)', 'CREATE TABLE b (a INTEGER REFERENCES a (id))']);
  await children[0].batch(['INSERT INTO a VALUES (1)', 'INSERT INTO b VALUES (1)'], 'write');
  await schema.migrate([
    'CREATE TABLE new_a (id INTEGER PRIMARY KEY, name TEXT)',
    'INSERT INTO new_a (id) SELECT id FROM a',
    'DROP TABLE a',
    'ALTER TABLE new_a RENAME TO a',
  ]);
  await everywhere('a', 'b');
  assert.deepEqual(Array.from((await children[0].execute('SELECT a, name FROM a JOIN b ON b.a = a.id')).rows[0]), [1, null]);
});
