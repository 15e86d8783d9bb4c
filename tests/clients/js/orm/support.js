// What the tests of all libraries that build queries have in common.

import { after } from 'node:test';

import { createDatabase } from '../support/server.js';

/** The scheme of the URLs that the libraries get: `http` or `ws`. */
export const transport = process.env.LIBSQL_TRANSPORT ?? 'http';

/** Opens a new database with the library under test, until the tests of the file have ended. */
export async function open(connect, close = (db) => db.destroy()) {
  const db = await connect((await createDatabase()).replace(/^http:/, `${transport}:`));
  after(() => close(db));
  return db;
}

/** A result of many rows, each recognisable. */
export const manyRows = `
  WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999)
  SELECT i, 'row ' || i AS name FROM n`;
