// `turso.databases` of @tursodatabase/api.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isAtLeast, organization, refused, turso } from '../support/api.js';
import { connect } from '../support/libsql.js';
import { apiToken, freshName, serverUrl } from '../support/server.js';

const { databases } = turso;

/** Creates a database and tells its name. */
async function create(options = {}) {
  const name = freshName();
  await databases.create(name, { group: 'default', ...options });
  return name;
}

/** A client of a database, without a token, which is enough on this machine. */
const client = (name) => connect(`${serverUrl}/db/${name}/`);

/** Uploads what a database contains, as the CLI does; where the server keeps it for now. */
async function uploadDumpOf(name) {
  const dump = await fetch(`${serverUrl}/db/${name}/dump`);
  const form = new FormData();
  form.append('file', await dump.blob(), 'dump.sql');
  const headers = { authorization: `Bearer ${apiToken}` };
  const url = `${serverUrl}/v1/organizations/${organization}/databases/dumps`;
  const uploaded = await fetch(url, { method: 'POST', headers, body: form });
  assert.equal(uploaded.status, 200);
  return (await uploaded.json()).dump_url;
}

test('create, get, list, delete', async () => {
  const name = freshName();
  const created = await databases.create(name, { group: 'default' });
  assert.deepEqual(Object.keys(created).sort(), ['hostname', 'id', 'name']);
  assert.equal(created.name, name);
  const shown = await databases.get(name);
  assert.equal(shown.id, created.id);
  assert.equal(shown.hostname, created.hostname);
  assert.equal(shown.group, 'default');
  assert.equal(shown.type, 'logical');
  assert.deepEqual(shown.regions, ['local']);
  assert.equal(shown.primaryRegion, 'local');
  for (const no of ['sleeping', 'allow_attach', 'block_reads', 'block_writes', 'is_schema']) {
    assert.equal(shown[no], false, no);
  }
  const listed = await databases.list();
  assert.deepEqual(listed.find((one) => one.id === created.id), shown);
  await connect(`http://${created.hostname}`).execute('CREATE TABLE t (a)');

  assert.deepEqual(await databases.delete(name), { database: name });
  await refused(databases.get(name), 404, new RegExp(`could not find database with name ${name}`));
  await refused(databases.delete(name), 404, new RegExp(name));
});

// Before 1.9.0, all are listed.
if (isAtLeast('1.9.0')) {
  test('list those of a group', async () => {
    const group = freshName('group');
    await turso.groups.create(group, 'local');
    const name = await create({ group });
    const names = async (options) => (await databases.list(options)).map((one) => one.name);
    assert.deepEqual(await names({ group }), [name]);
    assert.ok(!(await names({ group: 'default' })).includes(name));
  });
}

test('what cannot be created is refused with a reason', async () => {
  const name = await create();
  await refused(databases.create(name, { group: 'default' }), 409, new RegExp(`${name} already exists`));
  await refused(databases.create(freshName(), { group: 'nowhere' }), 400, /group not found/);
  await refused(databases.create('Upper', { group: 'default' }), 400, /name/);
  const from = (seed) => databases.create(freshName(), { group: 'default', seed });
  await refused(from({ type: 'database', name: 'nowhere' }), 404, /nowhere/);
  await refused(from({ type: 'dump', url: 'http://127.0.0.1:1/dump.sql' }), 400, /dump/);
  await refused(from({ type: 'database', name, timestamp: new Date(0) }), 400, /history/);
});

test('a copy of a database, and two from its dump', async () => {
  const original = await create();
  await client(original).executeMultiple('CREATE TABLE t (a); INSERT INTO t VALUES (1)');
  const copy = await create({ seed: { type: 'database', name: original } });
  const from = (url) => create({ seed: { type: 'dump', url } });
  const uploaded = await from(await uploadDumpOf(original));
  const fetched = await from(`${serverUrl}/db/${original}/dump`);
  await client(original).execute('INSERT INTO t VALUES (2)');
  for (const name of [copy, uploaded, fetched]) {
    const { rows } = await client(name).execute('SELECT a FROM t');
    assert.deepEqual(rows.map((row) => row.a), [1], name);
  }
});

test('tokens', async () => {
  const name = await create();
  const other = await create();
  await client(name).execute('CREATE TABLE t (a)');
  const { jwt } = await databases.createToken(name);
  const full = connect(`${serverUrl}/db/${name}/`, { authToken: jwt });
  await full.execute('INSERT INTO t VALUES (1)');
  const elsewhere = connect(`${serverUrl}/db/${other}/`, { authToken: jwt });
  await assert.rejects(elsewhere.execute('SELECT 1'));

  const options = { expiration: '2w1d30m', authorization: 'read-only' };
  const token = (await databases.createToken(name, options)).jwt;
  const { iat, exp } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
  assert.equal(exp - iat, (15 * 24 * 60 + 30) * 60);
  const reader = connect(`${serverUrl}/db/${name}/`, { authToken: token });
  assert.equal((await reader.execute('SELECT * FROM t')).rows.length, 1);
  await assert.rejects(reader.execute('DELETE FROM t'));
  await refused(databases.createToken(name, { expiration: 'soon' }), 400, /Invalid expiration format/);
  await refused(databases.createToken('nowhere'), 404, /nowhere/);

  await databases.rotateTokens(name);
  await assert.rejects(full.execute('SELECT 1'));
  await assert.rejects(reader.execute('SELECT 1'));
  const again = connect(`${serverUrl}/db/${name}/`, { authToken: (await databases.createToken(name)).jwt });
  assert.equal((await again.execute('SELECT * FROM t')).rows.length, 1);
});

test('a token that may attach', async () => {
  const [name, attached] = [await create(), await create()];
  const permissions = { read_attach: { databases: [attached] } };
  const { jwt } = await databases.createToken(name, { permissions });
  await connect(`${serverUrl}/db/${name}/`, { authToken: jwt }).execute('SELECT 1');
  const directly = connect(`${serverUrl}/db/${attached}/`, { authToken: jwt });
  await assert.rejects(directly.execute('SELECT 1'));
});

test('instances', async () => {
  const name = await create();
  const { hostname } = await databases.get(name);
  const instances = await databases.listInstances(name);
  assert.equal(instances.length, 1);
  const [primary] = instances;
  assert.equal(primary.type, 'primary');
  assert.equal(primary.region, 'local');
  assert.equal(primary.hostname, hostname);
  assert.deepEqual(await databases.getInstance(name, primary.name), primary);
  await refused(databases.getInstance(name, 'nowhere'), 404, /one instance/);
  await refused(databases.listInstances('nowhere'), 404, /nowhere/);
});

test('usage', async () => {
  const name = await create();
  await client(name).executeMultiple('CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3)');
  await client(name).execute('SELECT * FROM t');
  const usage = await databases.usage(name);
  assert.equal(usage.uuid, (await databases.get(name)).id);
  assert.equal(usage.usage.rows_written, 3);
  assert.equal(usage.usage.rows_read, 3);
  assert.ok(usage.usage.storage_bytes > 0);
  const [instance] = await databases.listInstances(name);
  assert.deepEqual(usage.instances.map((one) => one.uuid), [instance.uuid]);
  assert.deepEqual(usage.instances[0].usage, usage.usage);
  const from = new Date(Date.now() - 60 * 60 * 1000);
  const since = await databases.usage(name, { from, to: new Date(Date.now() + 1000).toISOString() });
  assert.equal(since.usage.rows_written, 3);
  await refused(databases.usage('nowhere'), 404, /nowhere/);
});

test('there is no other version to go to', async () => {
  await databases.updateVersion(await create());
  await refused(databases.updateVersion('nowhere'), 404, /nowhere/);
});
