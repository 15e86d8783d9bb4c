// For drizzle-kit, which changes the schema database.

export default {
  dialect: 'turso',
  schema: './starter/schema.js',
  out: process.env.MIGRATIONS,
  dbCredentials: { url: process.env.SCHEMA_URL, authToken: process.env.TURSO_GROUP_AUTH_TOKEN },
};
