// For drizzle-kit, as the tests call it.

export default {
  dialect: 'turso',
  schema: './orm/drizzle/schema.js',
  out: './orm/drizzle/migrations',
  dbCredentials: { url: process.env.DRIZZLE_URL },
};
