// A user's own database: found, or made from the schema database on the first visit.
import { createClient } from '@libsql/client';
import { createClient as createPlatformClient } from '@tursodatabase/api';
import { drizzle } from 'drizzle-orm/libsql';
import { settings } from './settings.js';

/** The database of that name. On the Edge runtime `@libsql/client` is `@libsql/client/web`, by its own choice. */
export async function openDatabase(name) {
  const { TURSO_API_BASEURL, TURSO_API_TOKEN, TURSO_ORG, TURSO_DATABASE_NAME, TURSO_GROUP_AUTH_TOKEN } =
    settings();
  const baseUrl = new URL('/v1/', TURSO_API_BASEURL);
  const platform = createPlatformClient({ baseUrl: baseUrl.href, org: TURSO_ORG, token: TURSO_API_TOKEN });
  const { hostname } = await findOrCreate(platform.databases, name, TURSO_DATABASE_NAME);
  // The databases are reached as the API is: with TLS or, on a machine of one's own, without.
  const url = `${baseUrl.protocol}//${hostname}`;
  return drizzle(createClient({ url, authToken: TURSO_GROUP_AUTH_TOKEN }));
}

async function findOrCreate(databases, name, schema) {
  try {
    return await databases.get(name);
  } catch (error) {
    if (error.status !== 404) {
      throw error;
    }
  }
  try {
    return await databases.create(name, { group: 'default', schema });
  } catch (error) {
    // Another page of the same user was faster.
    const found = error.status === 409 && (await databases.list({ schema }));
    return (found && found.find((database) => database.name === name)) || Promise.reject(error);
  }
}
