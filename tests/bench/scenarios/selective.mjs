// A thousand subscribers, each wants one key: an event goes to exactly one of them.
import { betterSse, fenceline, graphqlSse, jsonPerSubscriber, nats, raw } from '../contenders/http/index.mjs';
import { alternate, measureHttp, rowsOf } from '../lib/measure.mjs';
import { list } from '../lib/table.mjs';

const measures = {
  eventsPerSecond: ({ events, wallSeconds }) => events / wallSeconds,
  cpuMicrosPerEvent: ({ events, cpuSeconds }) => (cpuSeconds / events) * 1e6,
  noise: ({ noise }) => noise,
};

export const title = 'Selective fan-out over HTTP: 1,000 clients, one key each';

export async function run({ isQuick, rounds, say }) {
  const time = isQuick ? { seconds: 0.6, warmSeconds: 1.5 } : { seconds: 1.5, warmSeconds: 2 };
  const load = { clients: 1000, bytes: 250, burst: 16, isSelective: true, window: 1024, ...time };
  const contenders = [raw, jsonPerSubscriber, betterSse, graphqlSse, ...nats, fenceline];
  const figures = await alternate(contenders, rounds, (c) => measureHttp(c, 'pump', load), say);
  return rowsOf('', figures, measures);
}

export const report = (rows) => [
  'The raw loop is given a hand-written map from key to response here.',
  list(rows, [
    { title: 'events/s', measure: 'eventsPerSecond' },
    { title: '× raw map', measure: 'eventsPerSecond', reference: raw.name },
    { title: 'CPU µs per event', measure: 'cpuMicrosPerEvent' },
  ]),
];
