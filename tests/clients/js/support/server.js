// The server under test, as its environment variables describe it, and databases on it that no other
// test uses.

import assert from 'node:assert/strict';

export const serverUrl = required('HRANAD_URL');
export const apiToken = required('HRANAD_API_TOKEN');

function required(name) {
  const value = process.env[name];
  assert.ok(value, `${name} is not set; these tests are started by \`cargo test clients\``);
  return value;
}

/** Asks the platform API as the owner of the server does. */
export async function platform(method, path, body, token = apiToken) {
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  const text = body === undefined ? undefined : JSON.stringify(body);
  const response = await fetch(serverUrl + path, { method, headers, body: text });
  return { status: response.status, body: await response.json() };
}

let count = 0;

/** A name that no other test has: they run at the same time, on one server. */
export function freshName(prefix = 'test') {
  count += 1;
  return `${prefix}-${process.pid}-${Date.now().toString(36)}-${count}`;
}

/** Creates a database and tells the URL that clients use. */
export const createDatabase = (name = freshName()) => create({ name });

export const createSchema = (name = freshName('schema')) => create({ name, is_schema: true });

/** A child of a schema database. */
export const createChild = (name, schema) => create({ name, schema });

async function create({ name, ...fields }) {
  const created = await platform('POST', '/v1/databases', { name, group: 'default', ...fields });
  assert.equal(created.status, 200, JSON.stringify(created.body));
  return `${serverUrl}/db/${name}/`;
}
