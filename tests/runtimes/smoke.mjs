// All that is tried on Bun and on Deno: `bun smoke.mjs`.
import './core.mjs';
import './mounts.mjs';
import './logs.mjs';
import './drain.mjs';

import { runChecks } from './checks.mjs';

await runChecks();
