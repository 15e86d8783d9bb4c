// A real Chromium without a window, and what the users of the example application do in it.
import assert from 'node:assert/strict';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';

// Nothing of a test may go into the net, and the machine may belong to root.
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
/** Longer than anything here takes on a slow machine. */
const PATIENCE = 60_000;
export const PASSWORDS = { ada: 'engine', grace: 'compiler' };

function executable() {
  const names = process.env.CHROMIUM ? [process.env.CHROMIUM] : NAMES;
  const places = names.flatMap((name) =>
    name.includes('/') ? [name] : process.env.PATH.split(delimiter).map((directory) => join(directory, name)),
  );
  const found = places.find((place) => {
    try {
      accessSync(place, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  assert(found, `none of ${names.join(', ')} is in the PATH; \`make chromium\` installs it`);
  return found;
}

/** Opens a browser with a fresh profile for a while. Each page that it is asked for has cookies of its own. */
export async function withBrowser(use) {
  const browser = await chromium.launch({ executablePath: executable(), args: FLAGS, chromiumSandbox: false });
  const open = async (options = {}) => {
    const page = await browser.newPage({ viewport: { width: 560, height: 510 }, ...options });
    page.setDefaultTimeout(PATIENCE);
    page.on('pageerror', (error) => console.error(`An error in ${page.url()}: ${error.stack}`));
    return page;
  };
  try {
    await use(open);
  } catch (error) {
    for (const page of browser.contexts().flatMap((context) => context.pages())) {
      console.error(`${page.url()} shows:\n${await page.innerText('body')}\n`);
    }
    throw error;
  } finally {
    await browser.close();
  }
}

export async function signIn(page, app, user, password = PASSWORDS[user]) {
  await page.goto(app);
  await page.getByLabel('Name').fill(user);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

export async function add(page, description) {
  await page.getByLabel('What is to be done?').fill(description);
  await page.getByRole('button', { name: 'Add' }).click();
}

const todo = (page, description) => page.getByRole('listitem').filter({ hasText: description });
export const tick = (page, description) => todo(page, description).getByRole('checkbox').click();
export const remove = (page, description) => page.getByRole('button', { name: `Delete ${description}` }).click();

/** The list on a page: `- todo` and, when it is done, `x todo`. */
function listed() {
  return Array.from(document.querySelectorAll('[aria-label=Todos] li'), (item) => {
    const done = item.querySelector('[role=checkbox]').getAttribute('aria-checked') === 'true';
    return `${done ? 'x' : '-'} ${item.querySelector('span').textContent}`;
  });
}

/** Waits until the page shows these todos. */
export async function shows(page, expected) {
  await page.getByRole('list', { name: 'Todos' }).waitFor({ state: 'attached' });
  const isShown = `(${listed})().join('\\n') === ${JSON.stringify(expected.join('\n'))}`;
  await page.waitForFunction(isShown).catch(() => {});
  assert.deepEqual(await page.evaluate(listed), expected);
}

/** Waits for the box that says what is wrong; its text, which is for people. */
export async function trouble(page) {
  // Next.js has an element with this role of its own.
  const box = page.locator('main [role=alert]');
  await box.waitFor();
  const text = await box.innerText();
  assert.doesNotMatch(text, /\bat .*:\d+:\d+|node_modules|digest/i, 'a stack is not for people');
  return text;
}
