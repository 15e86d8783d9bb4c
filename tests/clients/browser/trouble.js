// What the example application shows when it cannot work. Each of the applications has one thing wrong.
import assert from 'node:assert/strict';
import { add, shows, signIn, trouble, withBrowser } from './browser.js';

/** Of each its URL, and texts that it has to show. */
const wrong = JSON.parse(process.env.WRONG);
/** One that works, whose server is stopped in the end. */
const { APP, HRANAD_PID } = process.env;

await withBrowser(async (open) => {
  for (const [app, says] of wrong) {
    // Of its own, for the port makes no difference to cookies.
    const page = await open();
    await signIn(page, app, 'ada');
    // Some can show todos, and only not write them.
    const input = page.getByLabel('What is to be done?');
    await input.or(page.locator('main [role=alert]')).first().waitFor();
    if (await input.isVisible()) {
      await add(page, 'something');
    }
    const shown = await trouble(page);
    for (const text of says) {
      assert(shown.includes(text), `${text} is not in:\n${shown}`);
    }
    await page.close();
  }

  const page = await open();
  await signIn(page, APP, 'ada');
  await add(page, 'before the end');
  await shows(page, ['- before the end']);
  process.kill(Number(HRANAD_PID), 'SIGTERM');
  await gone();
  await add(page, 'after the end');
  assert.match(await trouble(page), /No server answers at http.*\s+Start hranad/);
  // What could not be saved is not lost for who has typed it.
  assert.equal(await page.getByLabel('What is to be done?').inputValue(), 'after the end');
  for (const path of ['/', '/edge']) {
    await page.goto(APP + path);
    assert.match(await trouble(page), /No server answers at http.*\s+Start hranad/);
  }
});

/** Waits until nobody answers any more. */
async function gone() {
  const url = process.env.TURSO_API_BASEURL;
  while (await fetch(url).then(() => true, () => false));
}
