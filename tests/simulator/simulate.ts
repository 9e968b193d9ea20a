// `npm run simulate -- --from 1 --count 1000`: plays the histories of these seeds, and shows each that fails with as
// few steps as it needs. `--trace`: shows all that happened as well.
import { parseArgs } from 'node:util';
import { checkSeed, simulate } from './simulation.ts';
import { historyOf } from './steps.ts';

const { values } = parseArgs({
  options: { from: { type: 'string' }, count: { type: 'string' }, trace: { type: 'boolean' } },
});
const from = Number(values.from ?? 1);
const count = Number(values.count ?? 1000);
let failed = 0;
const begun = Date.now();

for (let seed = from; seed < from + count; seed++) {
  try {
    if (values.trace) console.log((await simulate(historyOf(seed))).trace.join('\n'));
    await checkSeed(seed);
  } catch (error) {
    failed++;
    console.error((error as Error).message);
  }
  if ((seed - from + 1) % 1000 === 0) report(seed);
}
report(from + count - 1);
process.exitCode = failed > 0 ? 1 : 0;

function report(last: number): void {
  const seconds = ((Date.now() - begun) / 1000).toFixed(0);
  console.log(`seeds ${from} to ${last}: ${failed} failed, ${seconds} s`);
}
