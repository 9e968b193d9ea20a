// `node --import ./tests/tooling/typescript.mjs file.ts` runs TypeScript on Node 20, with `fenceline` and its
// sub-paths resolved to the sources: no build comes first, and import.meta.url, argv and signals are the file's own.
import { register } from 'node:module';

register('./typescript-hooks.mjs', import.meta.url);
