// Runs the test files that its arguments name, in one process: `node --test` starts one for each file, which
// takes longer than most files do.

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

for (const file of process.argv.slice(2)) await import(pathToFileURL(resolve(file)));
