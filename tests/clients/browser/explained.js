// What the example application makes of the errors that it meets, without a browser and a server of its own.
import assert from 'node:assert/strict';
import { openDatabase } from '../../../examples/per-user-todos/lib/database.js';
import { todos } from '../../../examples/per-user-todos/lib/schema.js';
import { explain } from '../../../examples/per-user-todos/lib/trouble.js';

const DATABASE = '0123456789abcdef0123456789abcdef';

for (const [name, value, ...says] of JSON.parse(process.env.WRONG)) {
  const before = process.env[name];
  process.env[name] = value;
  const error = await openDatabase(DATABASE).then((database) => database.select().from(todos)).then(
    () => assert.fail(`${name}=${value} works`),
    (error) => error,
  );
  const { title, advice, said } = explain(error);
  const shown = [title, advice, said].join('\n');
  for (const text of says) {
    assert(shown.includes(text), `${text} is not in:\n${shown}`);
  }
  process.env[name] = before;
}
