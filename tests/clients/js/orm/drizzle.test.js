// drizzle-orm with its libSQL driver, and drizzle-kit, which changes the schema of a database.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { createClient } from '@libsql/client';
import { count, eq, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/libsql';
import { migrate } from 'drizzle-orm/libsql/migrator';

import { createChild, createDatabase, createSchema, freshName } from '../support/server.js';
import { authors, books } from './drizzle/schema.js';
import { manyRows, open } from './support.js';

const migrations = './orm/drizzle/migrations';
const openUrl = (url) => drizzle(createClient({ url }));
const close = (db) => db.$client.close();

async function fresh() {
  const db = await open(openUrl, close);
  await migrate(db, { migrationsFolder: migrations });
  return db;
}

const names = async (db) => (await db.select({ name: authors.name }).from(authors).orderBy(authors.id)).map((row) => row.name);
const insert = (db, name) => db.insert(authors).values({ name });

/** drizzle wraps the errors of its driver. */
const causedBy = (code, message) => (error) => {
  assert.equal(error.cause.code, code);
  assert.match(error.cause.message, message);
  return true;
};

async function kit(command, url, ...options) {
  const args = ['node_modules/drizzle-kit/bin.cjs', command, '--config', 'orm/drizzle/drizzle.config.js', ...options];
  const env = { ...process.env, DRIZZLE_URL: url };
  return promisify(execFile)(process.execPath, args, { env, timeout: 60_000 });
}

test('values: of every type, there and back', async () => {
  const db = await fresh();
  const author = {
    id: 1,
    name: 'Grüße 🎉',
    born: new Date('1929-10-21T01:02:03Z'),
    height: 0.1,
    picture: Buffer.from([0, 1, 254, 255]),
    settings: { a: [1, null, 'x'] },
  };
  await db.insert(authors).values(author);
  const [returned] = await db.insert(authors).values({ name: '' }).returning();
  assert.deepEqual(returned, { id: 2, name: '', born: null, height: null, picture: null, settings: null });
  assert.deepEqual(await db.select().from(authors).where(eq(authors.id, 1)), [author]);
});

test('values: blobs of every length that base64 distinguishes', async () => {
  const db = await fresh();
  const pictures = [0, 1, 2, 3, 70_000].map((length) => Buffer.from(Uint8Array.from({ length }, (_, index) => index * 31)));
  await db.insert(authors).values(pictures.map((picture, index) => ({ name: `n${index}`, picture })));
  const rows = await db.select({ picture: authors.picture }).from(authors).orderBy(authors.id);
  assert.deepEqual(rows.map((row) => row.picture), pictures);
});

test('int64: integers of 64 bits, with the client\'s intMode', async () => {
  const db = await open((url) => drizzle(createClient({ url, intMode: 'bigint' })), close);
  for (const value of [2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]) {
    const row = await db.get(sql`SELECT ${value} AS a, typeof(${value}) AS b`);
    assert.deepEqual({ ...row }, { a: value, b: 'integer' });
  }
});

test('int64: an integer that a number cannot hold is refused, not rounded', async () => {
  const db = await fresh();
  const { lastInsertRowid } = await db.run(sql`INSERT INTO authors (id, name) VALUES (${2n ** 53n + 1n}, 'a')`);
  assert.equal(lastInsertRowid, 2n ** 53n + 1n);
  await assert.rejects(db.select().from(authors), (error) => error.cause instanceof RangeError);
});

test('basics: joins, and what a write says', async () => {
  const db = await fresh();
  const inserted = await db.insert(authors).values([{ name: 'a' }, { name: 'b' }]);
  assert.deepEqual([inserted.rowsAffected, inserted.lastInsertRowid], [2, 2n]);
  await db.insert(books).values({ title: 't', authorId: 2 });
  const joined = await db.select({ name: authors.name, title: books.title }).from(books).innerJoin(authors, eq(authors.id, books.authorId));
  assert.deepEqual(joined, [{ name: 'b', title: 't' }]);
});

test('scripts: migrate() does again what it did only once', async () => {
  const db = await fresh();
  await insert(db, 'a');
  await migrate(db, { migrationsFolder: migrations });
  assert.deepEqual(await names(db), ['a']);
});

test('scripts: drizzle-kit migrate', async () => {
  const url = await createDatabase();
  await kit('migrate', url);
  await kit('migrate', url);
  const db = await open(() => openUrl(url), close);
  await insert(db, 'a');
  assert.deepEqual(await names(db), ['a']);
});

test('scripts: drizzle-kit migrate on a schema database', async () => {
  const name = freshName('schema');
  const url = await createSchema(name);
  const child = await createChild(freshName('child'), name);
  await kit('migrate', url);
  await kit('migrate', url);
  const db = await open(() => openUrl(child), close);
  await insert(db, 'a');
  assert.deepEqual(await names(db), ['a']);
});

test('scripts: drizzle-kit push', async () => {
  const url = await createDatabase();
  await kit('push', url, '--force');
  const db = await open(() => openUrl(url), close);
  await insert(db, 'a');
  await kit('push', url, '--force');
  assert.deepEqual(await names(db), ['a']);
});

test('transactions: commit and rollback', async () => {
  const db = await fresh();
  await db.transaction(async (transaction) => {
    await insert(transaction, 'a');
    assert.deepEqual(await names(transaction), ['a']);
    assert.deepEqual(await names(db), []);
  });
  const failing = db.transaction(async (transaction) => {
    await insert(transaction, 'b');
    throw new Error('changed my mind');
  });
  await assert.rejects(failing, /changed my mind/);
  assert.deepEqual(await names(db), ['a']);
});

test('conflicts: transactions that read and then write wait for each other', async () => {
  const db = await fresh();
  await insert(db, '0');
  const countUp = () =>
    db.transaction(async (transaction) => {
      const [name] = await names(transaction);
      await transaction.update(authors).set({ name: `${Number(name) + 1}` });
    });
  await Promise.all(Array.from({ length: 10 }, countUp));
  assert.deepEqual(await names(db), ['10']);
});

test('batches: a batch is one transaction', async () => {
  const db = await fresh();
  const results = await db.batch([insert(db, 'a'), db.select({ n: count() }).from(authors)]);
  assert.deepEqual(results[1], [{ n: 1 }]);
  await assert.rejects(db.batch([insert(db, 'b'), insert(db, 'a')]), /UNIQUE constraint failed/);
  assert.deepEqual(await names(db), ['a']);
});

test('errors: a violated constraint is told with its code', async () => {
  const db = await fresh();
  await insert(db, 'a');
  await assert.rejects(insert(db, 'a'), causedBy('SQLITE_CONSTRAINT', /UNIQUE constraint failed: authors\.name/));
  const orphan = db.insert(books).values({ title: 't', authorId: 99 });
  await assert.rejects(orphan, causedBy('SQLITE_CONSTRAINT', /FOREIGN KEY constraint failed/));
});

test('large: 100,000 rows', async () => {
  const db = await fresh();
  const rows = await db.all(sql.raw(manyRows));
  assert.equal(rows.length, 100_000);
  assert.equal(rows[99_999].name, 'row 99999');
});

test('parallel: 50 calls at the same time', async () => {
  const db = await fresh();
  await Promise.all(Array.from({ length: 50 }, (_, index) => insert(db, `n${index}`)));
  assert.equal((await names(db)).length, 50);
});
