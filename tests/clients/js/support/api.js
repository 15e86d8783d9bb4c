// The version of @tursodatabase/api that this run is about, as the owner of the server uses it.

import assert from 'node:assert/strict';

import { apiToken, serverUrl } from './server.js';

const version = process.env.TURSO_API ?? '2.0.5';

const { createClient } = await import(`tursodatabase-api-${version}`);

export const organization = 'local';

/** The platform API for the holder of a token. */
export function connectTo(token) {
  return createClient({ org: organization, token, baseUrl: `${serverUrl}/v1/` });
}

export const turso = connectTo(apiToken);

/** Whether this version is `wanted` or later. */
export function isAtLeast(wanted) {
  return version.localeCompare(wanted, 'en', { numeric: true }) >= 0;
}

/** That a call fails with this status, and says why. */
export async function refused(promise, status, message) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.name, 'TursoClientError', error.stack);
    assert.equal(error.status, status, error.message);
    assert.match(error.message, message);
    return true;
  });
}
