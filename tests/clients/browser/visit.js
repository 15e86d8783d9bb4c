// What the page of the workshop says between its commands: sign in, and write down a todo.
import { add, shows, signIn, withBrowser } from './browser.js';

const { APP, USER, TODO } = process.env;

await withBrowser(async (open) => {
  const page = await open();
  await signIn(page, APP, USER);
  await add(page, TODO);
  await shows(page, [`- ${TODO}`]);
});
