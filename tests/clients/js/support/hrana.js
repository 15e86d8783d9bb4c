// @libsql/hrana-client in the version and encoding of the protocol that this run is about, and streams on
// databases of their own.

import assert from 'node:assert/strict';
import { after } from 'node:test';

import * as hrana from '@libsql/hrana-client';

import { createDatabase } from './server.js';

/** The subprotocol of a WebSocket, or what HTTP has in its place. */
const protocol = process.env.HRANA_PROTOCOL ?? 'hrana3';
const isSocket = process.env.LIBSQL_TRANSPORT === 'ws';

/** The version of the protocol that is spoken. */
export const version = Number(/\d/.exec(protocol)[0]);

export const isProtobuf = protocol.endsWith('protobuf');

/** The client can do this encoding of version 3 over HTTP, but never looks whether a server can. */
const jsonOf3 = { versionPath: 'v3', pipelinePath: 'v3/pipeline', cursorPath: 'v3/cursor', version: 3, encoding: 'json' };

/** A client that speaks this protocol and no other. */
export async function connect(url) {
  const client = isSocket
    ? new hrana.WsClient(new hrana.WebSocket(url.replace(/^http/, 'ws'), [protocol]))
    : hrana.openHttp(url, undefined, undefined, undefined, isProtobuf ? 3 : 2);
  after(() => client.close());
  await client.getVersion();
  if (!isSocket && protocol === 'hrana3') client._endpoint = jsonOf3;
  assert.equal(await client.getVersion(), version);
  return client;
}

/** Streams on one new database, in which `schema` has been executed. */
export async function freshClient(...schema) {
  const client = await connect(await createDatabase());
  const stream = client.openStream();
  for (const sql of schema) await stream.run(sql);
  stream.closeGracefully();
  return client;
}

export async function freshStream(...schema) {
  return (await freshClient(...schema)).openStream();
}

/** The owner of stored texts: a stream, or all streams of a socket. */
export const storeSql = (stream, sql) => (isSocket ? stream.client() : stream).storeSql(sql);

/** The first column of all rows. */
export async function column(stream, stmt) {
  const { rows } = await stream.query(stmt);
  return rows.map((row) => row[0]);
}

/** For `assert.rejects`: the server's error has this code, and a message like this. */
export const fails = (code, message) => ({ name: 'ResponseError', code, message });
