// What Turso's starter for a database per user does, in the versions that it is published with, against the host
// names that are written into it: `api.turso.tech`, and `NAME-ORG.turso.io` for each database.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';

import { createClient as createLibsqlClient } from '@libsql/client';
import { createClient as createPlatformClient } from '@tursodatabase/api';
import { eq, not } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/libsql';

import { todos } from './schema.js';

const { TURSO_API_TOKEN, TURSO_ORG, TURSO_DATABASE_NAME, TURSO_GROUP_AUTH_TOKEN } = process.env;

const turso = createPlatformClient({ org: TURSO_ORG, token: TURSO_API_TOKEN });

const host = (database) => `${database}-${TURSO_ORG}.turso.io`;

/** The name of a user's database. */
const nameOf = (user) => createHash('md5').update(user).digest('hex');

function connect(database, { scheme = 'libsql', authToken = TURSO_GROUP_AUTH_TOKEN } = {}) {
  const client = createLibsqlClient({ url: `${scheme}://${host(database)}`, authToken });
  after(() => client.close());
  return drizzle(client);
}

const createDatabase = (name) =>
  turso.databases.create(name, { group: 'default', seed: { type: 'database', name: TURSO_DATABASE_NAME } });

/** A new user's database, which is looked for and then created. */
async function signUp(user = randomUUID()) {
  const name = nameOf(user);
  await assert.rejects(turso.databases.get(name), { name: 'TursoClientError', status: 404 });
  await createDatabase(name);
  return name;
}

const list = (db) => db.select().from(todos).orderBy(todos.id);

const dump = (name, token = TURSO_GROUP_AUTH_TOKEN) =>
  fetch(`https://${host(name)}/dump`, { headers: { authorization: `Bearer ${token}` } });

const migrations = relative('.', mkdtempSync(join(tmpdir(), 'migrations-')));
after(() => rmSync(migrations, { recursive: true }));

/** Runs drizzle-kit on a schema database. */
async function kit(command, database = TURSO_DATABASE_NAME) {
  const args = ['starter/node_modules/drizzle-kit/bin.cjs', command, '--config', 'starter/drizzle.config.js'];
  const env = { ...process.env, MIGRATIONS: migrations, SCHEMA_URL: `libsql://${host(database)}` };
  return promisify(execFile)(process.execPath, args, { env, timeout: 60_000 });
}

before(async () => {
  await kit('generate');
  await kit('migrate');
});

test('basics: a user signs up, and their todos are inserted, listed, toggled and deleted', async () => {
  const name = await signUp('user_2lQ7');
  assert.equal((await turso.databases.get(name)).hostname, host(name));
  const db = connect(name);
  assert.deepEqual(await list(db), []);
  await db.insert(todos).values({ description: 'see the workshop' });
  await db.insert(todos).values({ description: 'leave the cloud' });
  await db.update(todos).set({ completed: not(todos.completed) }).where(eq(todos.id, 1));
  assert.deepEqual(await list(db), [
    { id: 1, description: 'see the workshop', completed: true },
    { id: 2, description: 'leave the cloud', completed: false },
  ]);
  await db.update(todos).set({ completed: not(todos.completed) }).where(eq(todos.id, 1));
  await db.delete(todos).where(eq(todos.id, 2));
  assert.deepEqual(await list(db), [{ id: 1, description: 'see the workshop', completed: false }]);
});

test('basics: users have nothing of each other', async () => {
  const [one, other] = [connect(await signUp()), connect(await signUp())];
  await one.insert(todos).values({ description: 'mine' });
  assert.deepEqual(await list(other), []);
});

test('basics: the same over a WebSocket', async () => {
  const db = connect(await signUp(), { scheme: 'wss' });
  await db.insert(todos).values({ description: 'see the workshop' });
  assert.deepEqual(await list(db), [{ id: 1, description: 'see the workshop', completed: false }]);
});

test('basics: a user takes their data along', async () => {
  const name = await signUp();
  await connect(name).insert(todos).values({ description: "it's mine" });
  const answer = await dump(name);
  assert.equal(answer.status, 200);
  const sql = await answer.text();
  assert.match(sql, /CREATE TABLE IF NOT EXISTS `todos`/);
  assert.match(sql, /INSERT INTO "todos"\("id","description","completed"\) VALUES\(1,'it''s mine',0\);/);
});

test('scripts: drizzle-kit migrate does again what it did only once', async () => {
  const name = await signUp();
  await connect(name).insert(todos).values({ description: 'kept' });
  await kit('migrate');
  assert.equal((await list(connect(name))).length, 1);
});

test('scripts: drizzle-kit push on a schema database reaches its children', async () => {
  const schema = `schema-${randomUUID()}`;
  await turso.databases.create(schema, { group: 'default', is_schema: true });
  const child = nameOf(schema);
  await turso.databases.create(child, { group: 'default', schema });
  await kit('push', schema);
  const db = connect(child);
  await db.insert(todos).values({ description: 'pushed' });
  assert.deepEqual(await list(db), [{ id: 1, description: 'pushed', completed: false }]);
});

test('errors: what is taken, absent or not allowed is said', async () => {
  const name = await signUp();
  await assert.rejects(createDatabase(name), { name: 'TursoClientError', status: 409 });
  assert.equal((await dump(nameOf('nobody'))).status, 404);
  assert.equal((await dump(name, 'wrong')).status, 401);
  const stranger = connect(name, { authToken: 'wrong' });
  await assert.rejects(list(stranger), { name: 'LibsqlError', code: 'UNAUTHORIZED' });
  const orphan = connect(name).insert(todos).values({ id: 1 });
  await assert.rejects(orphan, { code: 'SQLITE_CONSTRAINT' });
});

test('parallel: 20 users sign up at the same time', async () => {
  const names = await Promise.all(Array.from({ length: 20 }, () => signUp()));
  await Promise.all(names.map((name, index) => connect(name).insert(todos).values({ description: `todo ${index}` })));
  const lists = await Promise.all(names.map((name) => list(connect(name))));
  assert.deepEqual(lists.map(([todo]) => todo.description), names.map((_, index) => `todo ${index}`));
  const known = (await turso.databases.list()).filter((one) => one.schema === TURSO_DATABASE_NAME);
  assert.ok(names.every((name) => known.some((one) => one.name === name)));
});
