// `node --import ./tests/tooling/typescript.mjs file.ts` runs TypeScript on Node 20, with `fenceline` and its
// sub-paths resolved to the sources: no build comes first, and import.meta.url, argv and signals are the file's own.
import * as nodeModule from 'node:module';

import { loadSync, resolve } from './typescript-hooks.mjs';

// Node 20 has no registerHooks(); from Node 24 on, register() warns on stderr that it is deprecated.
if (nodeModule.registerHooks) nodeModule.registerHooks({ resolve, load: loadSync });
else nodeModule.register('./typescript-hooks.mjs', import.meta.url);
