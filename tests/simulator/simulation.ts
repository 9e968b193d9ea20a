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

/** Past so many plays a history is short enough. */
const MAX_PLAYS = 2000;

/**
 * Leaves out steps as long as the rest still fails: half of them at once to begin with, one by one in the end.
 * @param fails whether a history with fewer steps does
 */
export async function shrink(
  steps: readonly Step[],
  fails: (fewer: readonly Step[]) => Promise<boolean>,
): Promise<readonly Step[]> {
  let left = steps;
  let plays = 0;
  for (let size = steps.length >> 1; size > 0;) {
    const before = left.length;
    for (let from = 0; from < left.length && plays < MAX_PLAYS; plays++) {
      const fewer = left.toSpliced(from, size);
      if (await fails(fewer)) left = fewer;
      else from += size;
    }
    if (left.length === before || size > 1) size >>= 1;
  }
  return left;
}

/** @throws Error with the seed, and as few steps as fail in the same world */
export async function checkSeed(seed: number): Promise<readonly string[]> {
  const history = historyOf(seed);
  const { failure, trace } = await simulate(history);
  if (failure === undefined) return trace;
  const { setting } = history;
  const play = (steps: readonly Step[]): Promise<Outcome> => simulate({ seed, setting, steps });
  const steps = await shrink(history.steps, async (fewer) => (await play(fewer)).failure !== undefined);
  const { failure: last = failure } = await play(steps);
  const lines = [
    `Seed ${seed}: ${last.message}`,
    `in ${JSON.stringify(setting)}, after ${steps.length} of ${history.steps.length} steps:`,
    ...steps.map((step) => `  ${JSON.stringify(step)}`),
  ];
  throw new Error(lines.join('\n'), { cause: last });
}
