/** The environment lacks something. */
export class MissingSettings extends Error {
  name = 'MissingSettings';

  constructor(names) {
    super(names.join(', '));
    this.names = names;
  }
}

/** What the environment says. It is read for each request: a build knows nothing of where it will run. */
export function settings() {
  const needed = {
    TURSO_API_TOKEN: process.env.TURSO_API_TOKEN,
    TURSO_ORG: process.env.TURSO_ORG,
    TURSO_DATABASE_NAME: process.env.TURSO_DATABASE_NAME,
    TURSO_GROUP_AUTH_TOKEN: process.env.TURSO_GROUP_AUTH_TOKEN,
    TODOS_USERS: process.env.TODOS_USERS,
    TODOS_SECRET: process.env.TODOS_SECRET,
  };
  const missing = Object.keys(needed).filter((name) => !needed[name]);
  if (missing.length > 0) {
    throw new MissingSettings(missing);
  }
  const TURSO_API_BASEURL = process.env.TURSO_API_BASEURL || 'https://api.turso.tech';
  return { ...needed, TURSO_API_BASEURL };
}
