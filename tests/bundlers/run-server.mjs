// Runs what a bundler made of all entries: `node run-server.mjs <bundle>`
import { pathToFileURL } from 'node:url';

import { tryOut } from './try-out.mjs';

const loaded = await import(pathToFileURL(process.argv[2]).href);
// Node does not find every name that a CommonJS bundle exports.
await tryOut(loaded.main ? loaded : loaded.default);
