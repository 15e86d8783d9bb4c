// The version and build of @libsql/client that this run is about, and clients of it on databases of their own.

import { after } from 'node:test';

import { createDatabase } from './server.js';

const [version, build] = (process.env.LIBSQL_CLIENT ?? '0.18.0').split('/');

/** The build for browsers and edge runtimes, which runs here, too. */
export const isWeb = build === 'web';

/** The scheme of the URLs that clients get: `http`, `https`, `ws` or `wss`. */
export const transport = process.env.LIBSQL_TRANSPORT ?? 'http';

export const isSocket = transport.startsWith('ws');

export const { createClient, LibsqlError } = await import(`libsql-client-${version}${isWeb ? '/web' : ''}`);

/** Whether this version is `wanted` or later. */
export function isAtLeast(wanted) {
  return version.localeCompare(wanted, 'en', { numeric: true }) >= 0;
}

/**
 * A client of `url`, closed when the tests of the file have ended.
 *
 * Version 0.5.6 brings a fetch of its own, which on today's Node never ends when a reply has more than
 * some 32 KB, whatever the server. Its users have to give it another one: tests with `largeReplies` do.
 */
export function connect(url, { largeReplies = false, ...options } = {}) {
  const otherFetch = largeReplies && !isAtLeast('0.14.0') ? { fetch: fetchByNode } : {};
  const address = url.replace(/^http:/, `${transport}:`);
  const client = createClient({ url: address, ...otherFetch, ...options });
  after(() => client.close());
  return client;
}

/** The client hands over a `Request` that is not of Node's own class. */
async function fetchByNode(request) {
  const { url, method, headers } = request;
  return fetch(url, { method, headers: Object.fromEntries(headers), body: await request.text() });
}

/** A client of a new database, in which `schema` has been executed. */
export async function freshClient({ schema, ...options } = {}) {
  const client = connect(await createDatabase(), options);
  if (schema) await client.executeMultiple(schema);
  return client;
}

/** The first column of all rows. */
export async function column(client, sql, args = []) {
  const result = await client.execute({ sql, args });
  return result.rows.map((row) => row[0]);
}

/** For `assert.rejects`: the error has this code, and a message like this. */
export function libsqlError(code, message = /./) {
  return (error) => {
    const isIt = error instanceof LibsqlError && error.code === code && message.test(error.message);
    if (!isIt) throw error;
    return true;
  };
}
