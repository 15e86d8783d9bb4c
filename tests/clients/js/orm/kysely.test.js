// Kysely with its libSQL dialect: the query builder, its types, and transactions.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LibsqlDialect } from '@libsql/kysely-libsql';
import { Kysely, sql } from 'kysely';

import { manyRows, open } from './support.js';

async function fresh() {
  const db = await open((url) => new Kysely({ dialect: new LibsqlDialect({ url }) }));
  await db.schema
    .createTable('pet')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull().unique())
    .addColumn('picture', 'blob')
    .addColumn('weight', 'real')
    .execute();
  return db;
}

const names = (db) =>
  db.selectFrom('pet').select('name').orderBy('id').execute().then((rows) => rows.map((row) => row.name));
const insert = (db, name) => db.insertInto('pet').values({ name }).execute();

test('values: of every type, there and back', async () => {
  const db = await fresh();
  const picture = Uint8Array.from({ length: 1000 }, (_, index) => index);
  const result = await db
    .insertInto('pet')
    .values([{ name: 'Grüße 🎉', picture, weight: 0.1 }, { name: '', picture: null }])
    .executeTakeFirst();
  assert.equal(result.insertId, 2n);
  assert.equal(result.numInsertedOrUpdatedRows, 2n);
  const [first, second] = await db.selectFrom('pet').selectAll().orderBy('id').execute();
  assert.deepEqual({ ...first, picture: new Uint8Array(first.picture) }, { id: 1, name: 'Grüße 🎉', picture, weight: 0.1 });
  assert.deepEqual({ ...second }, { id: 2, name: '', picture: null, weight: null });
});

test('int64: integers of 64 bits, with the client\'s intMode', async () => {
  const { createClient } = await import('@libsql/client');
  const db = await open((url) => {
    const client = createClient({ url, intMode: 'bigint' });
    return new Kysely({ dialect: new LibsqlDialect({ client }) });
  });
  for (const value of [2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]) {
    const { rows } = await sql`SELECT ${value} AS a`.execute(db);
    assert.equal(rows[0].a, value);
  }
});

test('basics: joins, RETURNING and conflict clauses', async () => {
  const db = await fresh();
  const query = db.insertInto('pet').values({ id: 7, name: 'a' }).returning(['id', 'name']);
  assert.deepEqual({ ...(await query.executeTakeFirst()) }, { id: 7, name: 'a' });
  await db
    .insertInto('pet')
    .values({ id: 7, name: 'b' })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ name: 'c' }))
    .execute();
  assert.deepEqual(await names(db), ['c']);
});

test('scripts: the schema is read back', async () => {
  const [table] = await (await fresh()).introspection.getTables();
  assert.equal(table.name, 'pet');
  assert.deepEqual(table.columns.map((column) => column.dataType.toLowerCase()), ['integer', 'text', 'blob', 'real']);
});

test('transactions: commit and rollback', async () => {
  const db = await fresh();
  await db.transaction().execute(async (transaction) => {
    await insert(transaction, 'a');
    assert.deepEqual(await names(transaction), ['a']);
    assert.deepEqual(await names(db), []);
  });
  const failing = db.transaction().execute(async (transaction) => {
    await insert(transaction, 'b');
    throw new Error('changed my mind');
  });
  await assert.rejects(failing, /changed my mind/);
  assert.deepEqual(await names(db), ['a']);
});

test('errors: a violated constraint is told with its code', async () => {
  const db = await fresh();
  await insert(db, 'a');
  await assert.rejects(insert(db, 'a'), { code: 'SQLITE_CONSTRAINT', message: /UNIQUE constraint failed: pet\.name/ });
  const wrong = sql`SELEKT 1`.execute(db);
  await assert.rejects(wrong, { code: 'SQLITE_ERROR', message: /syntax error/ });
});

test('conflicts: the second of two transactions waits for the first', async () => {
  const db = await fresh();
  let second;
  await db.transaction().execute(async (first) => {
    await insert(first, 'first');
    second = db.transaction().execute((transaction) => insert(transaction, 'second'));
    await insert(first, 'also first');
  });
  await second;
  assert.deepEqual(await names(db), ['first', 'also first', 'second']);
});

test('large: 100,000 rows', async () => {
  const db = await fresh();
  const { rows } = await sql.raw(manyRows).execute(db);
  assert.equal(rows.length, 100_000);
  assert.deepEqual({ ...rows[99_999] }, { i: 99_999, name: 'row 99999' });
});

test('parallel: 50 calls at the same time', async () => {
  const db = await fresh();
  await Promise.all(Array.from({ length: 50 }, (_, index) => insert(db, `n${index}`)));
  assert.equal((await names(db)).length, 50);
});
