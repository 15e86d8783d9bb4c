// Two users of the example application at the same time, and a migration while both are working.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { add, remove, shows, signIn, tick, trouble, withBrowser } from './browser.js';
import { sideBySide } from './pictures.js';

const { APP, MIGRATION, HRANAD_PICTURES } = process.env;
const run = promisify(execFile);

await withBrowser(async (open) => {
  const [ada, grace] = await Promise.all([open(), open()]);

  // Who is not known gets nowhere.
  await signIn(ada, APP, 'ada', 'analytical');
  assert.match(await trouble(ada), /The name or the password is wrong/);
  await ada.goto(APP);
  await ada.waitForURL('**/sign-in');

  await Promise.all([signIn(ada, APP, 'ada'), signIn(grace, APP, 'grace')]);
  await Promise.all([ada, grace].map((page) => page.getByText('Nothing to do yet.').waitFor()));

  await add(ada, 'write notes on the engine');
  await shows(ada, ['- write notes on the engine']);
  await add(ada, 'compute the Bernoulli numbers');
  await add(ada, 'bet on horses');
  await shows(ada, ['- write notes on the engine', '- compute the Bernoulli numbers', '- bet on horses']);
  await tick(ada, 'write notes');
  await remove(ada, 'bet on horses');
  await shows(ada, ['x write notes on the engine', '- compute the Bernoulli numbers']);

  await add(grace, 'find the moth in the relay');
  await tick(grace, 'find the moth');
  await add(grace, `it's "quoted" & <b>bold</b> 🐛`);
  await shows(grace, ['x find the moth in the relay', `- it's "quoted" & <b>bold</b> 🐛`]);
  await ada.reload();
  await shows(ada, ['x write notes on the engine', '- compute the Bernoulli numbers']);

  // The Edge runtime sees the same, and changes the same.
  await ada.getByRole('link', { name: 'the same by Edge' }).click();
  await ada.getByText('Made by the Edge runtime').waitFor();
  await add(ada, 'find a mistake of Babbage');
  await tick(ada, 'find a mistake');
  await shows(ada, ['x write notes on the engine', '- compute the Bernoulli numbers', 'x find a mistake of Babbage']);
  await ada.getByRole('link', { name: 'the same by Node.js' }).click();
  await ada.getByText('Made by the Node.js runtime').waitFor();
  await shows(ada, ['x write notes on the engine', '- compute the Bernoulli numbers', 'x find a mistake of Babbage']);

  await remove(grace, `it's "quoted"`);
  await add(grace, 'write the first compiler');
  await shows(grace, ['x find the moth in the relay', '- write the first compiler']);
  if (HRANAD_PICTURES) {
    await sideBySide(open, [ada, grace], join(HRANAD_PICTURES, 'example.png'));
  }

  // A migration of all users' databases, while both go on.
  let migrated = false;
  const todo = (page, description) => page.getByText(description, { exact: true }).waitFor();
  const work = async (page) => {
    const done = [];
    // Until the migration is over, and then once more.
    for (let last = false; !last; ) {
      last = migrated;
      const description = `step ${done.length + 1}.`;
      await add(page, description);
      await todo(page, description);
      await tick(page, description);
      done.push(`x ${description}`);
    }
    return done;
  };
  const migrate = async () => {
    await Promise.all([ada, grace].map((page) => todo(page, 'step 1.')));
    await run('turso', ['db', 'shell', 'todos-schema', MIGRATION]);
    migrated = true;
  };
  const [byAda, byGrace] = await Promise.all([work(ada), work(grace), migrate()]);
  for (const [page, before, done] of [
    [ada, ['x write notes on the engine', '- compute the Bernoulli numbers', 'x find a mistake of Babbage'], byAda],
    [grace, ['x find the moth in the relay', '- write the first compiler'], byGrace],
  ]) {
    await shows(page, [...before, ...done]);
    await page.reload();
    await shows(page, [...before, ...done]);
    assert.equal(await page.locator('main [role=alert]').count(), 0);
  }

  // Another user's session cannot be made from one's own.
  const [cookie] = await ada.context().cookies();
  await ada.context().addCookies([{ ...cookie, value: cookie.value.replace('ada', 'grace') }]);
  await ada.goto(APP);
  await ada.waitForURL('**/sign-in');

  // Nothing of this needs JavaScript in the browser.
  const plain = await open({ javaScriptEnabled: false });
  await signIn(plain, APP, 'ada');
  await tick(plain, 'compute the Bernoulli numbers');
  await plain.getByRole('listitem').filter({ hasText: 'compute' }).getByRole('checkbox', { checked: true }).waitFor();
  await plain.getByRole('button', { name: 'Sign out' }).click();
  await plain.waitForURL('**/sign-in');

  await signIn(ada, APP, 'ada');
  await ada.getByRole('button', { name: 'Sign out' }).click();
  await ada.waitForURL('**/sign-in');
  await ada.goto(APP);
  await ada.waitForURL('**/sign-in');
});
