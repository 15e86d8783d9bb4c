// The picture of a terminal, from what was typed and shown there.
import { readFileSync } from 'node:fs';
import { withBrowser } from './browser.js';
import { terminal } from './pictures.js';

const { TRANSCRIPT, PICTURE } = process.env;

await withBrowser((open) => terminal(open, JSON.parse(readFileSync(TRANSCRIPT, 'utf8')), PICTURE));
