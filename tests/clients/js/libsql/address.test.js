// The forms of URL by which the client reaches a database.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { column, connect, isSocket } from '../support/libsql.js';
import { apiToken, createDatabase, freshName, serverUrl } from '../support/server.js';

test('basics: the URL of the server alone is the database `default`', async () => {
  const table = freshName('t').replaceAll('-', '_');
  const [bare, slash] = [connect(serverUrl), connect(`${serverUrl}/`)];
  await bare.execute(`CREATE TABLE ${table} AS SELECT 1 AS a`);
  assert.deepEqual(await column(slash, `SELECT a FROM ${table}`), [1]);
  const byName = connect(`${serverUrl}/db/default/`);
  assert.deepEqual(await column(byName, `SELECT a FROM ${table}`), [1]);
});

test('basics: libsql: with tls=0, as documentation has it', async () => {
  const url = await createDatabase();
  const client = connect(`${url.replace('http:', 'libsql:')}?tls=0`);
  assert.equal(client.protocol, 'http');
  assert.deepEqual(await column(client, 'SELECT 1'), [1]);
});

test('errors: without the last slash, the error says to add it', async () => {
  const url = (await createDatabase()).slice(0, -1);
  const client = connect(url);
  if (isSocket) {
    // A socket is opened at the URL itself; nothing is resolved against it.
    assert.deepEqual(await column(client, 'SELECT 1'), [1]);
    return;
  }
  await assert.rejects(client.execute('SELECT 1'), /slash/);
  await assert.rejects(client.batch(['SELECT 1'], 'write'), /slash/);
});

test('errors: a database that does not exist is named in the error', async () => {
  const client = connect(`${serverUrl}/db/no-such-database/`);
  await assert.rejects(client.execute('SELECT 1'), /no-such-database/);
});

test('basics: where no token is needed, one that is given must be good', async () => {
  const url = await createDatabase();
  const client = connect(url, { authToken: apiToken });
  assert.deepEqual(await column(client, 'SELECT 1'), [1]);
  await assert.rejects(connect(url, { authToken: 'wrong' }).execute('SELECT 1'), /token/);
});
