// Knex with its libSQL dialect, which brings a driver of its own.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import LibsqlClient from '@libsql/knex-libsql';
import knex from 'knex';

import { open } from './support.js';

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

test('values of every type there and back', async () => {
  const db = await fresh();
  const picture = Buffer.from([0, 1, 2, 254, 255]);
  const rows = [{ name: 'Grüße 🎉', picture, weight: 0.1 }, { name: '', picture: null, weight: null }];
  assert.deepEqual(await db('pet').insert(rows), [2]);
  const [first, second] = await db('pet').orderBy('id');
  assert.deepEqual(Buffer.from(first.picture), picture);
  assert.deepEqual([first.id, first.name, first.weight], [1, 'Grüße 🎉', 0.1]);
  assert.deepEqual({ ...second }, { id: 2, name: '', picture: null, weight: null });
  assert.equal(await db('pet').where('id', 2).update({ name: 'b' }), 1);
  assert.equal(await db('pet').del(), 2);
});

test('the schema is changed and read back', async () => {
  const db = await fresh();
  await db.schema.alterTable('pet', (table) => table.integer('age').defaultTo(3));
  await db('pet').insert({ name: 'a' });
  assert.equal(await db.schema.hasColumn('pet', 'age'), true);
  assert.deepEqual(await db('pet').pluck('age'), [3]);
});

test('commit and rollback', async () => {
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

test('a violated constraint is told with its code', async () => {
  const db = await fresh();
  await db('pet').insert({ name: 'a' });
  const again = db('pet').insert({ name: 'a' });
  await assert.rejects(again, { code: 'SQLITE_CONSTRAINT', message: /UNIQUE constraint failed: pet\.name/ });
  await assert.rejects(db.raw('SELEKT 1'), { code: 'SQLITE_ERROR', message: /syntax error/ });
});

test('of two that read and then write, the second is told of the conflict', async () => {
  const db = await fresh({ min: 0, max: 3 });
  const [first, second] = [await db.transaction(), await db.transaction()];
  assert.deepEqual([await names(first), await names(second)], [[], []]);
  await first('pet').insert({ name: 'first' });
  await first.commit();
  await assert.rejects(second('pet').insert({ name: 'second' }), { code: 'SQLITE_BUSY' });
  await second.rollback();
  assert.deepEqual(await names(db), ['first']);
});

test('50 calls at the same time', async () => {
  // Results of more than some 32 KB never end with the old fetch that this driver brings, whatever the server.
  const db = await fresh({ min: 0, max: 50 });
  await Promise.all(Array.from({ length: 50 }, (_, index) => db('pet').insert({ name: `n${index}` })));
  assert.equal((await names(db)).length, 50);
});
