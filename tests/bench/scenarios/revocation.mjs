// A policy changes under 10,000 subscriptions of 1,000 tokens, half of which have it.
import { alternate, measureWorker, rowsOf } from '../lib/measure.mjs';
import { list } from '../lib/table.mjs';

const subject = { name: 'a policy of 500 tokens changes' };

const measures = {
  heldMs: ({ heldMs }) => heldMs,
  releasedMs: ({ releasedMs }) => releasedMs,
  resolutions: ({ resolutions }) => resolutions,
};

export const title = 'Revocation: 10,000 subscriptions of 1,000 tokens';

export async function run({ rounds, say }) {
  return rowsOf('', await alternate([subject], rounds, () => measureWorker('revocation', {}), say), measures);
}

export const report = (rows) => [
  list(rows, [
    { title: 'the publisher is held', measure: 'heldMs', unit: ' ms' },
    { title: 'until all 10,000 have the next event', measure: 'releasedMs', unit: ' ms' },
    { title: 'tokens resolved', measure: 'resolutions' },
  ]),
];
