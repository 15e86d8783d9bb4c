// Knex with its libSQL dialect, which brings a driver of its own.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import LibsqlClient from '@libsql/knex-libsql';
import knex from 'knex';

import { manyRows, open, transport } from './support.js';

async function fresh(pool = { min: 1, max: 1 }) {
  const db = await open((filename) =>
    knex({ client: LibsqlClient, connection: { filename }, useNullAsDefault: true, pool }),
  );
  await db.schema.createTable('pet', (table) => {
    table.increments('id');
    table.string('name').notNullable().unique();
    table.binary('picture');
    table.float('weight');
  });
  return db;
}

const names = (db) => db('pet').orderBy('id').pluck('name');

test('values: of every type, there and back', async () => {
  const db = await fresh();
  const picture = Buffer.from([0, 1, 2, 254, 255]);
  const rows = [{ name: 'Grüße 🎉', picture, weight: 0.1 }, { name: '', picture: null, weight: null }];
  assert.deepEqual(await db('pet').insert(rows), [2]);
  const [first, second] = await db('pet').orderBy('id');
  assert.deepEqual(Buffer.from(first.picture), picture);
  assert.deepEqual([first.id, first.name, first.weight], [1, 'Grüße 🎉', 0.1]);
  assert.deepEqual({ ...second }, { id: 2, name: '', picture: null, weight: null });
});

test('int64: integers of 64 bits are written, and refused where a number cannot hold them', async () => {
  const db = await fresh();
  for (const id of [2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]) {
    const name = `${id}`;
    await db('pet').insert({ id, name });
    const [row] = await db('pet').where({ id }).select(db.raw('CAST(id AS TEXT) AS text'));
    assert.equal(row.text, name);
    await assert.rejects(db('pet').where({ name }).select('id'), { name: 'RangeError' });
  }
});

test('basics: what a write says', async () => {
  const db = await fresh();
  assert.deepEqual(await db('pet').insert([{ name: 'a' }, { name: 'b' }]), [2]);
  assert.deepEqual({ ...(await db('pet').insert({ name: 'c' }).returning(['id', 'name']))[0] }, { id: 3, name: 'c' });
  assert.equal(await db('pet').where('id', 2).update({ name: 'd' }), 1);
  assert.equal(await db('pet').del(), 3);
});

test('basics: columns that are left out are NULL, except at the end of the last row', async () => {
  const db = await fresh();
  await db('pet').insert([{ name: 'a' }, { name: 'b', weight: 1 }]);
  assert.deepEqual(await db('pet').orderBy('id').pluck('weight'), [null, 1]);
  // The driver leaves the last arguments out, too, which the protocol declares an error.
  const cut = db('pet').insert([{ name: 'c', weight: 1 }, { name: 'd' }]);
  await assert.rejects(cut, { code: 'ARGS_INVALID', message: /parameter 4 has no value/ });
});

test('scripts: the schema is changed and read back', async () => {
  const db = await fresh();
  await db.schema.alterTable('pet', (table) => table.integer('age').defaultTo(3));
  await db('pet').insert({ name: 'a' });
  assert.equal(await db.schema.hasColumn('pet', 'age'), true);
  assert.deepEqual(await db('pet').pluck('age'), [3]);
});

test('transactions: commit and rollback', async () => {
  const db = await fresh();
  await db.transaction(async (transaction) => {
    await transaction('pet').insert({ name: 'a' });
    assert.deepEqual(await names(transaction), ['a']);
  });
  const failing = db.transaction(async (transaction) => {
    await transaction('pet').insert({ name: 'b' });
    throw new Error('changed my mind');
  });
  await assert.rejects(failing, /changed my mind/);
  assert.deepEqual(await names(db), ['a']);
});

test('conflicts: of two that read and then write, the second is told', async () => {
  const db = await fresh({ min: 0, max: 3 });
  const [first, second] = [await db.transaction(), await db.transaction()];
  assert.deepEqual([await names(first), await names(second)], [[], []]);
  await first('pet').insert({ name: 'first' });
  await first.commit();
  await assert.rejects(second('pet').insert({ name: 'second' }), { code: 'SQLITE_BUSY' });
  await second.rollback();
  assert.deepEqual(await names(db), ['first']);
});

test('batches: batchInsert is one transaction', async () => {
  const db = await fresh();
  const count = async () => (await db('pet').count('* as n'))[0].n;
  const rows = Array.from({ length: 1000 }, (_, index) => ({ name: `n${index}` }));
  await db.batchInsert('pet', rows, 100);
  assert.equal(await count(), 1000);
  const failing = db.batchInsert('pet', [{ name: 'a' }, { name: 'b' }, { name: 'a' }], 1);
  await assert.rejects(failing, { code: 'SQLITE_CONSTRAINT' });
  assert.equal(await count(), 1000);
});

test('errors: a violated constraint is told with its code', async () => {
  const db = await fresh();
  await db('pet').insert({ name: 'a' });
  const again = db('pet').insert({ name: 'a' });
  await assert.rejects(again, { code: 'SQLITE_CONSTRAINT', message: /UNIQUE constraint failed: pet\.name/ });
  await assert.rejects(db.raw('SELEKT 1'), { code: 'SQLITE_ERROR', message: /syntax error/ });
});

// The driver brings an old fetch, with which results of more than some 32 KB never end, whatever the server.
test('large: 100,000 rows', { skip: transport === 'http' }, async () => {
  const db = await fresh();
  const rows = await db.raw(manyRows);
  assert.equal(rows.length, 100_000);
  assert.deepEqual({ ...rows[99_999] }, { i: 99_999, name: 'row 99999' });
});

test('parallel: 50 calls at the same time', async () => {
  const db = await fresh({ min: 0, max: 50 });
  await Promise.all(Array.from({ length: 50 }, (_, index) => db('pet').insert({ name: `n${index}` })));
  assert.equal((await names(db)).length, 50);
});
