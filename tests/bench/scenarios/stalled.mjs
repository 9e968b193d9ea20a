// One client of a hundred stops reading: what the others get, and what the server's memory does.
import { betterSse, fenceline, nats, raw } from '../contenders/http/index.mjs';
import { alternate, measureHttp, rowsOf } from '../lib/measure.mjs';
import { list } from '../lib/table.mjs';

const measures = {
  deliveriesPerSecond: ({ deliveries, wallSeconds }) => deliveries / wallSeconds,
  grownMegabytes: ({ grownBytes }) => grownBytes / 1e6,
  closed: ({ closed }) => closed,
  noise: ({ noise }) => noise,
};

export const title = 'A stalled client among 100';

export async function run({ isQuick, rounds, say }) {
  const rows = [];
  for (const stalled of [0, 1]) {
    const load = {
      clients: 100,
      stalled,
      bytes: 2000,
      burst: 16,
      isSpread: false,
      window: 256,
      seconds: isQuick ? 1 : 4,
    };
    const contenders = [raw, betterSse, ...nats, fenceline];
    const figures = await alternate(contenders, rounds, (c) => measureHttp(c, 'stalled', load), say);
    rows.push(...rowsOf(stalled === 0 ? 'none stalled' : 'one stalled', figures, measures));
  }
  return rows.toSorted((a, b) => a.contender.localeCompare(b.contender));
}

export const report = (rows) => [
  'Events of 2 KB in bursts of 16, as fast as the other 99 take them.',
  list(rows, [
    { title: 'deliveries/s to the others', measure: 'deliveriesPerSecond' },
    { title: 'memory grown', measure: 'grownMegabytes', unit: ' MB' },
    { title: 'streams that the server ended', measure: 'closed' },
  ]),
];
