import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { type History, historyOf, type Step } from './steps.ts';
import { withVirtualGlobals } from './virtual-globals.ts';
import { World } from './world.ts';

export interface Outcome {
  readonly trace: readonly string[];
  /** What was wrong; undefined where nothing was. */
  readonly failure: Error | undefined;
}

/** Plays one history in a world of its own. The same history gives the same trace, always. */
export async function simulate({ seed, setting, steps }: History): Promise<Outcome> {
  const clock = new VirtualClock();
  return withVirtualGlobals(clock, seed, async () => {
    const world = new World(clock, setting);
    try {
      await world.run(steps);
      return { trace: world.trace, failure: undefined };
    } catch (error) {
      return { trace: world.trace, failure: error as Error };
    }
  });
}

/** Leaves out steps as long as the rest still fails: first many at once, then one by one. */
export async function shrink(history: History, maxRuns = 2000): Promise<History> {
  let steps = history.steps;
  let runs = 0;
  const fails = async (fewer: readonly Step[]): Promise<boolean> =>
    ++runs <= maxRuns && (await simulate({ ...history, steps: fewer })).failure !== undefined;
  for (let size = steps.length >> 1; size > 0; ) {
    let hasShrunk = false;
    for (let from = 0; from < steps.length; ) {
      const fewer = steps.toSpliced(from, size);
      if (await fails(fewer)) {
        steps = fewer;
        hasShrunk = true;
      } else from += size;
    }
    if (!hasShrunk || size > 1) size >>= 1;
  }
  return { ...history, steps };
}

/** @throws Error with the seed and as few steps as fail in the same world */
export async function checkSeed(seed: number): Promise<readonly string[]> {
  const history = historyOf(seed);
  const { failure, trace } = await simulate(history);
  if (failure === undefined) return trace;
  const { steps, setting } = await shrink(history);
  const { failure: last = failure, trace: lastTrace } = await simulate({ seed, setting, steps });
  if (process.env['TRACE']) console.log(lastTrace.join('\n'));
  const lines = steps.map((step) => `  ${JSON.stringify(step)}`);
  throw new Error(
    `Seed ${seed}: ${last.message}\nin ${JSON.stringify(setting)} after ${steps.length} of ${history.steps.length} steps:\n${lines.join('\n')}`,
    { cause: last },
  );
}
