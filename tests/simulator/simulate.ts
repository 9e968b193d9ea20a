// `npm run simulate -- --from 1 --count 1000`: plays the histories of these seeds, and shows each that fails with as
// few steps as it needs. `--trace`: shows all that happened as well. `--again`: plays each a second time while the
// process does other things, and wants the same to happen.
import { readFile } from 'node:fs/promises';
// The module's own: the global one is the virtual clock's while a history is played.
import { setImmediate } from 'node:timers';
import { parseArgs, isDeepStrictEqual } from 'node:util';
import { checkSeed, simulate } from './simulation.ts';
import { historyOf } from './steps.ts';

const { values } = parseArgs({
  options: {
    from: { type: 'string' },
    count: { type: 'string' },
    trace: { type: 'boolean' },
    again: { type: 'boolean' },
  },
});
const from = Number(values.from ?? 1);
const count = Number(values.count ?? 1000);
let failed = 0;
const begun = Date.now();

for (let seed = from; seed < from + count; seed++) {
  try {
    const trace = await checkSeed(seed);
    if (values.trace) console.log(trace.join('\n'));
    if (values.again) await checkAgain(seed, trace);
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

async function checkAgain(seed: number, before: readonly string[]): Promise<void> {
  const { trace } = await besideOthers(() => simulate(historyOf(seed)));
  if (isDeepStrictEqual(trace, before)) return;
  const at = trace.findIndex((line, i) => line !== before[i]);
  throw new Error(`Seed ${seed}: first “${before[at]}”, then “${trace[at]}”, in line ${at + 1} of the trace.`);
}

/** Turns of the event loop and work of the thread pool come between. */
async function besideOthers<R>(play: () => Promise<R>): Promise<R> {
  const over = new AbortController();
  const disturb = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await readFile(new URL(import.meta.url));
      await new Promise((resolve) => void setImmediate(resolve));
    }
  };
  const disturbing = [disturb(), disturb(), disturb()];
  try {
    return await play();
  } finally {
    over.abort();
    await Promise.all(disturbing);
  }
}
