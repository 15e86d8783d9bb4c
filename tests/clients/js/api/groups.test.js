// `turso.groups` and `turso.locations` of @tursodatabase/api.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { refused, turso } from '../support/api.js';
import { connect } from '../support/libsql.js';
import { freshName, serverUrl } from '../support/server.js';

const { groups } = turso;

async function create() {
  const name = freshName('group');
  await groups.create(name, 'local');
  return name;
}

test('create, get, list, delete', async () => {
  const name = freshName('group');
  const created = await groups.create(name, 'local', { extensions: 'all' });
  assert.equal(created.name, name);
  assert.equal(created.primary, 'local');
  assert.deepEqual(created.locations, ['local']);
  assert.equal(created.archived, false);
  assert.deepEqual(await groups.get(name), created);
  const listed = await groups.list();
  assert.deepEqual(listed.find((group) => group.name === name), created);
  assert.ok(listed.some((group) => group.name === 'default'));
  await refused(groups.create(name, 'local'), 409, new RegExp(name));
  await refused(groups.create('Up per', 'local'), 400, /name/);

  assert.deepEqual(await groups.delete(name), created);
  await refused(groups.get(name), 404, /could not find group/);
  await refused(groups.delete(name), 404, /could not find group/);
});

test('there is one location', async () => {
  const [only, ...others] = await turso.locations.list();
  assert.equal(only.code, 'local');
  assert.ok(only.description.length > 0);
  assert.deepEqual(others, []);
  const name = await create();
  await refused(groups.addLocation(name, 'fra'), 400, /in one place, "local"/);
  await refused(groups.removeLocation(name, 'local'), 400, /in one place, "local"/);
  assert.deepEqual((await groups.get(name)).locations, ['local']);
});

test('tokens', async () => {
  const group = await create();
  const { jwt } = await groups.createToken(group, { expiration: '1d' });
  const reader = (await groups.createToken(group, { authorization: 'read-only' })).jwt;
  const name = freshName();
  await turso.databases.create(name, { group });
  const open = (authToken) => connect(`${serverUrl}/db/${name}/`, { authToken });
  await open(jwt).execute('CREATE TABLE t (a)');
  await open(reader).execute('SELECT * FROM t');
  await assert.rejects(open(reader).execute('DROP TABLE t'));
  await refused(groups.createToken(group, { expiration: 'soon' }), 400, /Invalid expiration format/);
  await refused(groups.createToken('nowhere'), 404, /could not find group/);

  await groups.rotateTokens(group);
  await assert.rejects(open(jwt).execute('SELECT 1'));
  await assert.rejects(open(reader).execute('SELECT 1'));
  const again = (await groups.createToken(group)).jwt;
  await open(again).execute('SELECT * FROM t');
  await refused(groups.rotateTokens('nowhere'), 404, /could not find group/);
});
