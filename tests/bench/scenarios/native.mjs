// Fan-out beside what publishes fastest, in C++, and beside another server that lets its readers resume.
import { bunPublish, durableStreams, fenceline, raw } from '../contenders/http/index.mjs';
import { alternate, measureHttp, rowsOf } from '../lib/measure.mjs';
import { list } from '../lib/table.mjs';
import { windowOf } from './fanout.mjs';

const cases = [
  { name: '100 clients, single', clients: 100, burst: 1 },
  { name: '100 clients, bursts of 16', clients: 100, burst: 16 },
  { name: '1,000 clients, single', clients: 1000, burst: 1 },
];

const measures = {
  deliveriesPerSecond: ({ deliveries, wallSeconds }) => deliveries / wallSeconds,
  deliveriesPerCpuSecond: ({ deliveries, serverCpuSeconds }) => deliveries / serverCpuSeconds,
  clientShare: ({ clientCpuSeconds, wallSeconds }) => clientCpuSeconds / wallSeconds,
  noise: ({ noise }) => noise,
};

export const title = 'Beside C++: Bun’s publish';

export async function run({ isQuick, rounds, say }) {
  const time = isQuick ? { seconds: 0.4, warmSeconds: 0.5 } : { seconds: 1.5, warmSeconds: 1 };
  const rows = [];
  for (const { name, ...params } of cases) {
    say(name);
    const load = { ...params, bytes: 250, isSpread: false, ...time };
    const measure = (contender) => measureHttp(contender, 'pump', { ...load, window: windowOf(load) });
    rows.push(
      ...rowsOf(name, await alternate([raw, durableStreams, bunPublish, fenceline], rounds, measure, say), measures),
    );
  }
  return rows;
}

export const report = (rows) => [
  [
    'Events of 250 B. Bun’s `server.publish` (uWebSockets) keeps no backlog, no rights and no place to resume from.',
    'Its publisher is another process, which is not counted in its CPU time, and ours is. Durable Streams keeps all',
    'that was published.',
  ].join(' '),
  list(rows, [
    { title: 'deliveries/s', measure: 'deliveriesPerSecond' },
    { title: '× Bun', measure: 'deliveriesPerSecond', reference: bunPublish.name },
    { title: 'deliveries per CPU second of the server', measure: 'deliveriesPerCpuSecond' },
    { title: '× Bun', measure: 'deliveriesPerCpuSecond', reference: bunPublish.name },
  ]),
];
