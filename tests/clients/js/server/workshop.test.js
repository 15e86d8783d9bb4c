// The workshop's chat application: one database per workspace, typed as its text has it, through the
// published client.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { connect } from '../support/libsql.js';
import { createDatabase, platform } from '../support/server.js';

const sql = (name) => readFileSync(new URL(`../../workshop/${name}.sql`, import.meta.url), 'utf8');
const [schema, directMessages] = [sql('schema'), sql('direct_messages')];
const tables = ['users', 'channels', 'messages'];

/** The rows of a table as plain objects; `created_at` is checked and left out. */
async function rowsOf(client, table) {
  const { rows } = await client.execute(`SELECT * FROM ${table}`);
  return rows.map(({ created_at: createdAt, ...row }) => {
    assert.match(createdAt, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    return row;
  });
}

test('two workspaces with the same schema and data of their own', async () => {
  const first = connect(await createDatabase('workspace1-slack'));
  const second = connect(await createDatabase('workspace2-slack'));
  const listed = (await platform('GET', '/v1/databases')).body.databases.map((one) => one.Name);
  assert.ok(listed.includes('workspace1-slack') && listed.includes('workspace2-slack'), listed.join());
  for (const client of [first, second]) await client.executeMultiple(schema);

  await first.execute(`INSERT INTO users (username, email, display_name)
    VALUES ('alice', 'alice@company1.com', 'Alice Johnson');`);
  await first.execute(`INSERT INTO channels (name, description)
    VALUES ('general', 'General discussion');`);
  await first.execute(`INSERT INTO messages (channel_id, user_id, content)
    VALUES (1, 1, 'Hello, welcome to our new Slack workspace!');`);

  const alice = { id: 1, username: 'alice', email: 'alice@company1.com', display_name: 'Alice Johnson' };
  assert.deepEqual(await rowsOf(first, 'users'), [alice]);
  assert.deepEqual(await rowsOf(first, 'channels'), [
    { id: 1, name: 'general', description: 'General discussion', is_private: 0 },
  ]);
  assert.deepEqual(await rowsOf(first, 'messages'), [
    { id: 1, channel_id: 1, user_id: 1, content: 'Hello, welcome to our new Slack workspace!' },
  ]);
  for (const table of tables) assert.deepEqual(await rowsOf(second, table), []);

  for (const client of [first, second]) await client.executeMultiple(directMessages);
  await first.execute(`INSERT INTO users (username, email, display_name)
    VALUES ('bob', 'bob@company1.com', 'Bob Smith');`);
  await first.execute(`INSERT INTO direct_messages (sender_id, recipient_id, content)
    VALUES (1, 2, 'Hi Bob, welcome to the team!');`);
  assert.deepEqual(await rowsOf(first, 'direct_messages'), [
    { id: 1, sender_id: 1, recipient_id: 2, content: 'Hi Bob, welcome to the team!' },
  ]);
  assert.deepEqual(await rowsOf(second, 'direct_messages'), []);
  const inSecond = await second.execute('SELECT name FROM sqlite_schema ORDER BY name');
  const names = inSecond.rows.map((row) => row.name).filter((name) => !name.startsWith('sqlite_'));
  assert.deepEqual(names, ['channels', 'direct_messages', 'messages', 'users']);

  // The same keys in the second workspace are other people.
  await second.execute("INSERT INTO users (username, email) VALUES ('alice', 'alice@company2.com')");
  assert.deepEqual(await rowsOf(first, 'users').then((rows) => rows.map((row) => row.email)), [
    'alice@company1.com',
    'bob@company1.com',
  ]);
  const toNobody = second.execute('INSERT INTO direct_messages (sender_id, recipient_id) VALUES (1, 2)');
  await assert.rejects(toNobody, { code: 'SQLITE_CONSTRAINT' });
});
