// For `npm run db:migrate`, which changes the schema database and thereby every user's.
import { existsSync } from 'node:fs';
import { defineConfig } from 'drizzle-kit';

if (existsSync('.env.local')) {
  process.loadEnvFile('.env.local');
}

const { TURSO_API_BASEURL, TURSO_DATABASE_NAME, TURSO_ORG, TURSO_GROUP_AUTH_TOKEN } = process.env;

export default defineConfig({
  dialect: 'turso',
  schema: './lib/schema.js',
  out: './migrations',
  dbCredentials: {
    // On a server of one's own, a database is also a path of it, whatever its host name.
    url: TURSO_API_BASEURL
      ? new URL(`/db/${TURSO_DATABASE_NAME}/`, TURSO_API_BASEURL).href
      : `libsql://${TURSO_DATABASE_NAME}-${TURSO_ORG}.turso.io`,
    authToken: TURSO_GROUP_AUTH_TOKEN,
  },
});
