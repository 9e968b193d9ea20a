// `npm run fuzz -- --seconds N [--only target] [--seed N]`: gives all that takes input from outside mutated inputs of
// its corpus, in turn. An input that is not treated as documented is made small and kept in the corpus, where `npm
// test` tries it again.
import { parseArgs } from 'node:util';

import { keep } from './corpus.ts';
import type { FuzzTarget } from './target.ts';
import { targets } from './targets/index.ts';
import { generated, kindOf, reduced, tryInput } from './trial.ts';

/** A target has so long before it is the next one's turn. */
const TURN_MS = 1000;
/** So many failures of one target are kept. */
const MAX_FAILURES = 10;

interface Tally {
  inputs: number;
  slowestMs: number;
  readonly failures: Set<string>;
}

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, only: { type: 'string' }, seed: { type: 'string' } },
});
const seconds = Number(values.seconds);
const seed = Number(values.seed ?? Date.now() % 1e9);
const chosen = targets.filter(({ name }) => values.only === undefined || name === values.only);
if (chosen.length === 0 || !(seconds > 0) || !Number.isSafeInteger(seed)) {
  console.error(
    `--seconds is a number above 0, --seed a whole one, --only one of: ${targets.map(({ name }) => name).join(', ')}.`,
  );
  process.exit(2);
}

/** What fails outside of the call that caused it. */
const strays: unknown[] = [];
for (const event of ['uncaughtException', 'unhandledRejection'] as const)
  process.on(event, (error) => strays.push(error));

const tallies = new Map(
  chosen.map(({ name }) => [name, { inputs: 0, slowestMs: 0, failures: new Set<string>() } as Tally]),
);
const endsAt = performance.now() + seconds * 1000;
while (performance.now() < endsAt) for (const target of chosen) await turnOf(target);
for (const { close } of chosen) await close?.();
report();

async function turnOf(target: FuzzTarget): Promise<void> {
  const tally = tallies.get(target.name);
  if (tally === undefined || tally.failures.size >= MAX_FAILURES) return;
  const until = Math.min(endsAt, performance.now() + TURN_MS);
  for (const input of generated(target, seed, Infinity, tally.inputs)) {
    if (performance.now() >= until) return;
    tally.inputs += 1;
    const { ms, failure = strays.pop() } = await tryInput(target, input);
    tally.slowestMs = Math.max(tally.slowestMs, ms);
    if (failure !== undefined) await keepOnce(target, tally, input, failure);
  }
}

async function keepOnce(target: FuzzTarget, tally: Tally, input: Buffer, failure: unknown): Promise<void> {
  const kind = kindOf(failure);
  if (tally.failures.has(kind)) return;
  tally.failures.add(kind);
  const small = await reduced(target, input, failure);
  console.log(
    `FAILED ${target.name}: ${(failure as Error).stack ?? String(failure)}\n  kept in ${keep(target.name, small)}`,
  );
}

function report(): void {
  const all = [...tallies.values()];
  console.table(
    Object.fromEntries(
      [...tallies].map(([name, { inputs, slowestMs, failures }]) => [
        name,
        { inputs, 'slowest, ms': Math.round(slowestMs * 10) / 10, failures: failures.size },
      ]),
    ),
  );
  const inputs = all.reduce((sum, tally) => sum + tally.inputs, 0);
  const failures = all.reduce((sum, tally) => sum + tally.failures.size, 0);
  console.log(`fuzz: seed ${seed}, ${seconds} s, ${inputs} inputs, ${failures} failures`);
  process.exit(failures > 0 ? 1 : 0);
}
