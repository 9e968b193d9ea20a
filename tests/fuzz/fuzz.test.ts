import { afterAll, describe, expect, it } from 'vitest';

import { corpusOf } from './corpus.ts';
import { targets } from './targets/index.ts';
import { generated, tryInput } from './trial.ts';

/** Another one tries other inputs; this one repeats. `npm run fuzz` takes a new one each time. */
const SEED = 20_261_128;

describe.each(targets)('$name', (target) => {
  afterAll(() => target.close?.());

  it.each(corpusOf(target.name))('is treated as documented: the input $file of the corpus', async ({ input }) => {
    const { failure } = await tryInput(target, input);
    expect(failure).toBeUndefined();
  });

  it(`treats ${target.tries} mutated inputs as documented`, async () => {
    for (const input of generated(target, SEED, target.tries)) {
      const { failure } = await tryInput(target, input);
      expect(failure, `input in base64: ${input.toString('base64')}`).toBeUndefined();
    }
  });
});
