// All that is tried on Bun and on Deno: `bun smoke.mjs`.
import { runChecks } from './checks.mjs';

for (const part of ['core', 'mounts', 'logs', 'drain']) await import(`./${part}.mjs`);
await runChecks();
