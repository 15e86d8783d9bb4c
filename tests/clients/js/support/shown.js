// Prints what is shown of programs that use a client and have not expected it to fail, as Node.js shows it but for where in
// the code it was. Each argument is one program, in JSON: a question to a database, or to the platform API.

import { createClient as createDatabaseClient } from 'libsql-client-0.18.0';
import { createClient as createPlatformClient } from 'tursodatabase-api-2.0.5';

const ask = ({ sql, ...options }) =>
  sql ? createDatabaseClient(options).execute(sql) : createPlatformClient(options).databases.list();

/** An error, and the one behind it unless that says the same again. */
function shown({ name, message, cause }) {
  const behind = cause && !message.includes(cause.message) ? `\n  [cause]: ${shown(cause)}` : '';
  return `${name}: ${message}${behind}`;
}

const attempts = process.argv.slice(2).map(async (program) => ask(JSON.parse(program)));
const outcomes = await Promise.allSettled(attempts);
process.stdout.write(JSON.stringify(outcomes.map(({ reason }) => (reason ? shown(reason) : 'nothing is wrong'))));
