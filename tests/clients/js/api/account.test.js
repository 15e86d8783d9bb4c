// `turso.apiTokens` and `turso.organizations` of @tursodatabase/api.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { connectTo, isAtLeast, organization, refused, turso } from '../support/api.js';
import { freshName } from '../support/server.js';

const { apiTokens, organizations } = turso;

test('create, list, validate, revoke', async () => {
  const name = freshName('token');
  const created = await apiTokens.create(name);
  assert.equal(created.name, name);
  const listed = (await apiTokens.list()).find((one) => one.name === name);
  assert.equal(listed.id, created.id);
  assert.ok(!JSON.stringify(listed).includes(created.token), 'a list shows no secrets');
  await refused(apiTokens.create(name), 409, new RegExp(name));

  const robot = connectTo(created.token);
  assert.ok((await robot.databases.list()).some((database) => database.name === 'default'));
  // What is validated is the token of the client, not the one it is given.
  const { valid, expiry } = await robot.apiTokens.validate(created.token);
  assert.equal(valid, true);
  assert.ok(expiry > Date.now() / 1000);

  assert.deepEqual(await apiTokens.revoke(name), { token: name });
  await refused(robot.databases.list(), 401, /token/);
  await refused(robot.apiTokens.validate(created.token), 401, /token/);
  assert.ok((await apiTokens.list()).every((one) => one.name !== name));
  await refused(apiTokens.revoke(name), 404, new RegExp(name));
});

test('a token from elsewhere opens nothing', async () => {
  const stranger = connectTo('wrong');
  await refused(stranger.databases.list(), 401, /token/);
  await refused(stranger.groups.list(), 401, /token/);
  await refused(stranger.organizations.list(), 401, /token/);
  await refused(stranger.apiTokens.create('more'), 401, /token/);
});

test('the organization', async () => {
  const [only, ...others] = await organizations.list();
  assert.deepEqual(others, []);
  assert.equal(only.slug, organization);
  assert.equal(only.name, organization);
  assert.equal(only.type, 'personal');
  for (const no of ['overages', 'blocked_reads', 'blocked_writes']) assert.equal(only[no], false, no);
  assert.deepEqual(await organizations.update({ overages: false }), only);
  await refused(organizations.update({ overages: true }), 400, /overages/);
  await refused(organizations.delete(), 400, /organization/);
  assert.deepEqual(await organizations.list(), [only]);
});

test('its members are its owner', async () => {
  const [owner, ...others] = await organizations.members();
  assert.deepEqual(others, []);
  assert.equal(owner.username, organization);
  assert.equal(owner.role, 'owner');
  const alone = /no other members/;
  await refused(organizations.addMember('somebody', 'admin'), 400, alone);
  await refused(organizations.removeMember(owner.username), 400, alone);
  await refused(organizations.inviteUser('somebody@example.com', 'member'), 400, alone);
  await refused(organizations.deleteInvite('somebody@example.com'), 400, alone);
  if (isAtLeast('2.0.0')) assert.deepEqual(await organizations.listInvites(), []);
  assert.equal((await organizations.members()).length, 1);
});

test('nothing is to be paid', async () => {
  assert.deepEqual(await organizations.invoices(), []);
});
