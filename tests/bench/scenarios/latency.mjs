// From just before publish to the read in the client, at a steady rate.
import { betterSse, fenceline, jsonPerSubscriber, nats, raw } from '../contenders/http/index.mjs';
import { alternate, measureHttp, rowsOf } from '../lib/measure.mjs';
import { list } from '../lib/table.mjs';

const measures = {
  p50Ms: ({ p50Ms }) => p50Ms,
  p99Ms: ({ p99Ms }) => p99Ms,
  busyShare: ({ cpuSeconds, wallSeconds }) => (100 * cpuSeconds) / wallSeconds,
  noise: ({ noise }) => noise,
};

export const title = 'Latency to 100 clients';

export async function run({ isQuick, rounds, say }) {
  const time = isQuick ? { seconds: 1, warmSeconds: 0.3 } : { seconds: 3, warmSeconds: 1 };
  const rows = [];
  for (const rate of [1000, 10_000]) {
    const load = { clients: 100, bytes: 250, rate, ...time };
    const contenders = [raw, ...(rate > 1000 ? [] : [jsonPerSubscriber, betterSse]), ...nats, fenceline];
    const figures = await alternate(contenders, rounds, (c) => measureHttp(c, 'steady', load), say);
    rows.push(...rowsOf(`${rate.toLocaleString('en')} events/s`, figures, measures));
  }
  return rows;
}

export const report = (rows) => [
  list(rows, [
    { title: 'p50', measure: 'p50Ms', unit: ' ms' },
    { title: 'p99', measure: 'p99Ms', unit: ' ms' },
    { title: 'server busy', measure: 'busyShare', unit: ' %' },
  ]),
];
