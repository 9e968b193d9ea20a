// Every subscriber gets every event, as fast as the slowest allows.
import { everyTurn, fenceline, peers, natsServer, raw, byResponse } from '../contenders/http/index.mjs';
import { alternate, measureHttp, rowsOf } from '../lib/measure.mjs';
import { list, matrix } from '../lib/table.mjs';

/** At most this much may be on its way to all clients together. */
const MAX_DELIVERIES = 65_536;
const MAX_BYTES = 32e6;

const single = { burst: 1, isSpread: false };
const inOneTurn = { burst: 16, isSpread: false };
const overMacrotasks = { burst: 16, isSpread: true };

const cases = [
  { name: '10 clients, 250 B, single', clients: 10, bytes: 250, ...single },
  { name: '100 clients, 250 B, single', clients: 100, bytes: 250, ...single },
  { name: '1,000 clients, 250 B, single', clients: 1000, bytes: 250, ...single },
  { name: '100 clients, 2 KB, single', clients: 100, bytes: 2000, ...single },
  { name: '100 clients, 250 B, bursts of 16', clients: 100, bytes: 250, ...inOneTurn },
  { name: '1,000 clients, 250 B, bursts of 16', clients: 1000, bytes: 250, ...inOneTurn },
  { name: '100 clients, 250 B, bursts spread over macrotasks', clients: 100, bytes: 250, ...overMacrotasks },
];

/** The duty cycle joins what is published faster than it can be written; "single" is about one event alone. */
const contendersOf = ({ burst }) => [raw, ...peers, ...(burst === 1 ? [byResponse, everyTurn] : []), fenceline];

const quick = (isQuick) => (isQuick ? { seconds: 0.4, warmSeconds: 0.5 } : { seconds: 1.2, warmSeconds: 1 });

const measures = {
  deliveriesPerSecond: ({ deliveries, wallSeconds }) => deliveries / wallSeconds,
  deliveriesPerCpuSecond: ({ deliveries, cpuSeconds }) => deliveries / cpuSeconds,
  cpuMicrosPerDelivery: ({ deliveries, cpuSeconds }) => (cpuSeconds / deliveries) * 1e6,
  clientShare: ({ clientCpuSeconds, wallSeconds }) => clientCpuSeconds / wallSeconds,
  noise: ({ noise }) => noise,
};

export const title = 'Fan-out over HTTP/1.1';

export async function run({ isQuick, rounds, say, only }) {
  const rows = [];
  for (const { name, ...params } of cases) {
    if (!name.includes(only)) continue;
    say(name);
    const load = { ...params, ...quick(isQuick), window: windowOf(params) };
    const figures = await alternate(contendersOf(params), rounds, (c) => measureHttp(c, 'pump', load), say);
    rows.push(...rowsOf(name, figures, measures));
  }
  return rows;
}

/** How many events may be on their way. */
export function windowOf({ clients, bytes, burst }) {
  const fit = Math.floor(Math.min(MAX_DELIVERIES, MAX_BYTES / bytes) / clients);
  return Math.max(4 * burst, 8, Math.min(2048, fit));
}

const overloaded = '100 clients, 250 B, single';
const alone = '1,000 clients, 250 B, single';

export function report(rows) {
  return [
    'Deliveries per second, as a multiple of the raw loop over `response.write` (every contender writes the same events):',
    matrix(rows, { measure: 'deliveriesPerSecond', reference: raw.name }),
    `Sustained overload, the publisher always has more (${overloaded}):`,
    list(pick(rows, overloaded, [raw, natsServer, fenceline]), [
      { title: 'deliveries/s', measure: 'deliveriesPerSecond' },
      { title: '× raw', measure: 'deliveriesPerSecond', reference: raw.name },
      { title: 'deliveries per CPU second', measure: 'deliveriesPerCpuSecond' },
      { title: '× raw', measure: 'deliveriesPerCpuSecond', reference: raw.name },
    ]),
    `What one delivered event costs (${alone}):`,
    list(pick(rows, alone, [raw, byResponse, everyTurn, fenceline]), [
      { title: 'CPU µs per delivery', measure: 'cpuMicrosPerDelivery' },
    ]),
  ];
}

const pick = (rows, name, contenders) =>
  rows.filter((row) => row.case === name && contenders.some((contender) => contender.name === row.contender));
