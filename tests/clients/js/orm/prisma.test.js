// Prisma with its libSQL adapter. Its client is generated here; what executes its queries is WebAssembly within
// the packages, and its engine for migrations, which is downloaded apart, is not used.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { PrismaLibSql } from '@prisma/adapter-libsql';

import { createDatabase } from '../support/server.js';
import { manyRows, open } from './support.js';

const tables = [
  `CREATE TABLE "Author" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "name" TEXT NOT NULL,
    "born" DATETIME,
    "height" REAL,
    "count" BIGINT,
    "picture" BLOB,
    "isAlive" BOOLEAN NOT NULL DEFAULT true
  )`,
  `CREATE TABLE "Book" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "title" TEXT NOT NULL,
    "authorId" INTEGER NOT NULL,
    CONSTRAINT "Book_authorId_fkey" FOREIGN KEY ("authorId") REFERENCES "Author" ("id")
  )`,
  'CREATE UNIQUE INDEX "Author_name_key" ON "Author" ("name")',
];

async function generate() {
  const args = ['node_modules/prisma/build/index.js', 'generate', '--schema', 'orm/prisma/schema.prisma'];
  // Where the engine for migrations is; without it, it would be downloaded.
  const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1' };
  await promisify(execFile)(process.execPath, args, { env, timeout: 60_000 });
  return import('../node_modules/.prisma/tests/index.js');
}

const { PrismaClient } = await generate();

const connect = (config) => new PrismaClient({ adapter: new PrismaLibSql(config) });
const close = (db) => db.$disconnect();

async function fresh(options) {
  const db = await open((url) => connect({ url, ...options }), close);
  for (const table of tables) await db.$executeRawUnsafe(table);
  return db;
}

const names = async (db) => (await db.author.findMany({ orderBy: { id: 'asc' } })).map((author) => author.name);

/** The adapter tells constraints apart by a number that @libsql/client has of local files only. */
const failed = (message) => ({ name: 'PrismaClientKnownRequestError', message });

const insert = (db, name) => db.author.create({ data: { name } });

test('values: of every type, there and back', async () => {
  const db = await fresh();
  const author = {
    id: 1,
    name: 'Grüße 🎉',
    born: new Date('1929-10-21T01:02:03.456Z'),
    height: 0.1,
    count: 7n,
    picture: new Uint8Array([0, 1, 254, 255]),
    isAlive: false,
  };
  const empty = { id: 2, name: '', born: null, height: null, count: null, picture: null, isAlive: true };
  assert.deepEqual(await db.author.create({ data: author }), author);
  assert.deepEqual(await db.author.create({ data: { name: '' } }), empty);
  assert.deepEqual(await db.author.findMany({ orderBy: { id: 'asc' } }), [author, empty]);
});

test('values: blobs of every length that base64 distinguishes', async () => {
  const db = await fresh();
  const pictures = [0, 1, 2, 3, 70_000].map((length) => Uint8Array.from({ length }, (_, index) => index * 31));
  await db.author.createMany({ data: pictures.map((picture, index) => ({ name: `n${index}`, picture })) });
  const rows = await db.author.findMany({ select: { picture: true }, orderBy: { id: 'asc' } });
  assert.deepEqual(rows.map((row) => row.picture), pictures);
});

test('int64: integers of 64 bits, with the intMode of @libsql/client', async () => {
  const db = await fresh({ intMode: 'bigint' });
  const counts = [2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)];
  for (const count of counts) {
    await db.author.create({ data: { name: `${count}`, count } });
    assert.equal((await db.author.findFirst({ where: { count } })).count, count);
  }
  const rows = await db.$queryRaw`SELECT typeof(count) AS type, count(*) AS n FROM Author GROUP BY 1`;
  assert.deepEqual(rows.map(({ type, n }) => [type, Number(n)]), [['integer', 4]]);
});

test('int64: an integer that a number cannot hold is refused, not rounded', async () => {
  const db = await fresh();
  await db.$executeRaw`INSERT INTO Author (name, count) VALUES ('a', ${2n ** 53n + 1n})`;
  await assert.rejects(names(db), { name: 'RangeError' });
});

test('basics: relations, filters, updates and deletions', async () => {
  const db = await fresh();
  const data = { name: 'a', books: { create: [{ title: 'x' }, { title: 'y' }] } };
  const author = await db.author.create({ data, include: { books: true } });
  assert.deepEqual(author.books.map((book) => book.title), ['x', 'y']);
  await insert(db, 'b');
  const withBooks = await db.author.findMany({ where: { books: { some: {} } }, select: { name: true } });
  assert.deepEqual(withBooks, [{ name: 'a' }]);
  assert.deepEqual(await db.author.updateMany({ data: { height: 2 } }), { count: 2 });
  assert.equal((await db.author.aggregate({ _sum: { height: true } }))._sum.height, 4);
  assert.equal((await db.author.upsert({ where: { name: 'b' }, update: { name: 'c' }, create: { name: 'b' } })).name, 'c');
  assert.deepEqual(await db.author.deleteMany({ where: { name: 'c' } }), { count: 1 });
});

test('transactions: commit and rollback', async () => {
  const db = await fresh();
  await db.$transaction(async (transaction) => {
    await insert(transaction, 'a');
    assert.deepEqual(await names(transaction), ['a']);
  });
  const failing = db.$transaction(async (transaction) => {
    await insert(transaction, 'b');
    throw new Error('changed my mind');
  });
  await assert.rejects(failing, /changed my mind/);
  assert.deepEqual(await names(db), ['a']);
});

test('conflicts: of two that read and then write, the second is told', async () => {
  const url = await createDatabase();
  const [db, other] = await Promise.all([1, 2].map(() => open(() => connect({ url }), close)));
  for (const table of tables) await db.$executeRawUnsafe(table);
  const conflict = other.$transaction(async (second) => {
    assert.deepEqual(await names(second), []);
    await db.$transaction((first) => insert(first, 'first'));
    await insert(second, 'second');
  });
  await assert.rejects(conflict, failed(/database is locked/));
  assert.deepEqual(await names(db), ['first']);
});

test('batches: $transaction([…]) is one transaction', async () => {
  const db = await fresh();
  const [, count] = await db.$transaction([insert(db, 'a'), db.author.count()]);
  assert.equal(count, 1);
  await assert.rejects(db.$transaction([insert(db, 'b'), insert(db, 'a')]), failed(/UNIQUE constraint failed: Author\.name/));
  assert.deepEqual(await names(db), ['a']);
});

test('errors: what failed is told', async () => {
  const db = await fresh();
  await insert(db, 'a');
  await assert.rejects(insert(db, 'a'), failed(/UNIQUE constraint failed: Author\.name/));
  await assert.rejects(db.book.create({ data: { title: 't', authorId: 99 } }), failed(/FOREIGN KEY constraint failed/));
  await assert.rejects(db.$queryRawUnsafe('SELEKT 1'), /near "SELEKT": syntax error/);
  await assert.rejects(db.$queryRawUnsafe('SELECT * FROM nowhere'), /no such table: nowhere/);
  assert.deepEqual(await names(db), ['a']);
});

test('large: 100,000 rows', async () => {
  const db = await fresh();
  const rows = await db.$queryRawUnsafe(manyRows);
  assert.equal(rows.length, 100_000);
  assert.equal(rows[99_999].name, 'row 99999');
});

test('parallel: 50 calls at the same time', async () => {
  const db = await fresh();
  await Promise.all(Array.from({ length: 50 }, (_, index) => insert(db, `n${index}`)));
  assert.equal((await names(db)).length, 50);
});
