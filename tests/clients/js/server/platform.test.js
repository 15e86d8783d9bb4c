// The platform API as programs use it, through fetch: create, show, list and delete databases.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { connect } from '../support/libsql.js';
import { freshName, platform, serverUrl } from '../support/server.js';

const ofOrganization = '/v1/organizations/local/databases';

test('a database from its creation to its end', async () => {
  const name = freshName();
  const created = await platform('POST', '/v1/databases', { name, group: 'default' });
  assert.equal(created.status, 200);
  const { database } = created.body;
  assert.equal(database.Name, name);
  assert.match(database.DbId, /^[0-9a-f]{8}-[0-9a-f]{4}-/);

  for (const path of [`/v1/databases/${name}`, `${ofOrganization}/${name}`]) {
    const shown = await platform('GET', path);
    assert.equal(shown.status, 200);
    assert.equal(shown.body.database.DbId, database.DbId);
    assert.equal(shown.body.database.group, 'default');
  }
  const listed = await platform('GET', '/v1/databases');
  assert.ok(listed.body.databases.some((one) => one.DbId === database.DbId));

  const client = connect(`${serverUrl}/db/${name}/`);
  await client.execute('CREATE TABLE t (a)');

  const deleted = await platform('DELETE', `/v1/databases/${name}`);
  assert.deepEqual(deleted, { status: 200, body: { database: name } });
  assert.equal((await platform('GET', `/v1/databases/${name}`)).status, 404);
  await assert.rejects(client.execute('SELECT * FROM t'), new RegExp(name));

  // The same name again is another database.
  const again = await platform('POST', ofOrganization, { name, group: 'default' });
  assert.equal(again.status, 200);
  assert.notEqual(again.body.database.DbId, database.DbId);
  await assert.rejects(client.execute('SELECT * FROM t'), /no such table: t/);
});

test('the host name in the answer is where clients reach the database', async () => {
  const name = freshName();
  const { body } = await platform('POST', '/v1/databases', { name, group: 'default' });
  const client = connect(`http://${body.database.Hostname}`);
  await client.execute('CREATE TABLE t AS SELECT 7 AS a');
  const { rows } = await connect(`${serverUrl}/db/${name}/`).execute('SELECT a FROM t');
  assert.equal(rows[0].a, 7);
});

test('what cannot be created is refused with a reason', async () => {
  const name = freshName();
  const refused = async (body, status, message) => {
    const answer = await platform('POST', '/v1/databases', body);
    assert.equal(answer.status, status, JSON.stringify(answer));
    assert.match(answer.body.error, message);
  };
  await platform('POST', '/v1/databases', { name, group: 'default' });
  await refused({ name, group: 'default' }, 409, new RegExp(name));
  await refused({ group: 'default' }, 400, /name/);
  await refused({ name: freshName(), group: 'nowhere' }, 400, /nowhere/);
  for (const bad of ['', 'Upper', 'a/b', '../a', 'a.b', 'v2', 'ü', 'a'.repeat(65)]) {
    await refused({ name: bad, group: 'default' }, 400, /name/);
  }
});

test('only the owner of the server gets in', async () => {
  for (const token of [null, 'wrong']) {
    const answer = await platform('GET', '/v1/databases', undefined, token);
    assert.equal(answer.status, 401);
    assert.match(answer.body.error, /token/);
  }
});
