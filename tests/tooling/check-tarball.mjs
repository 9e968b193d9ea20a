// What is downloaded: not too much of it, and nothing that a debugger could not show. CONTRIBUTING.md says what it is
// made of, and why there are no source maps.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { root } from './entries.mjs';
import { npmPack } from './packed.mjs';

/** Past it, look at what came in; raise it only with a reason. */
const maxBytes = 600 * 1024;
/** What is longer was minified. */
const maxColumns = 1000;

const { files, size } = await npmPack('--dry-run');
console.log(`note: the tarball has ${size} bytes and ${files.length} files; allowed ${maxBytes} bytes`);
if (size > maxBytes) complain(`The tarball has ${size} bytes, more than ${maxBytes}.`);

// The explorer's page is bundled: it is data of the package, and runs in a browser.
const code = files.map(({ path }) => path).filter((path) => path.endsWith('.js') && !path.endsWith('page-assets.js'));
for (const path of code) {
  const lines = readFileSync(join(root, path), 'utf8').split('\n');
  if (lines.some((line) => line.length > maxColumns)) complain(`${path} is minified: nobody can step through it.`);
}

function complain(message) {
  console.error(message);
  process.exitCode = 1;
}
