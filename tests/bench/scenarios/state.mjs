// The state, then live: what a retained key takes, what joining costs, and a reader that is a hundred times too slow.
import { fenceline, raw } from '../contenders/state/index.mjs';
import { joiningColumns, joiningMeasures, measureJoining } from '../lib/joining.mjs';
import { alternate, measureWorker, rowsOf } from '../lib/measure.mjs';
import { list } from '../lib/table.mjs';

const KEYS = 100_000;
/** Of a line; its payload is 250 B of JSON then. */
const LINE_BYTES = 402;

const memory = 'memory';
const memorySubjects = [
  { name: 'a Map of lines, by hand', by: 'map' },
  { name: 'fenceline, published', by: 'published' },
  { name: 'fenceline, read as ndjson', by: 'read' },
];

const joins = [
  { name: '1,000 readers, 10,000 keys', clients: 1000, keys: 10_000 },
  { name: '100 readers, 100,000 keys', clients: 100, keys: KEYS },
  // 25 GB a round: only when asked for, by --case and with an --out of its own.
  { name: '1,000 readers, 100,000 keys', clients: 1000, keys: KEYS, isLong: true },
];

const slow = 'slow';
const slowSubjects = [
  { name: 'polled, keys in turn', by: 'poll', order: 'round-robin' },
  { name: 'polled, keys at random', by: 'poll', order: 'random' },
  { name: 'a transport, keys at random', by: 'transport', order: 'random' },
];
const slowLoad = { keys: 1000, rate: 10_000, share: 0.01 };

export const title = 'State, then live';

export async function run({ isQuick, rounds, say, only }) {
  const rows = [];
  const cases = [
    { name: memory, run: () => runMemory(rounds, say) },
    ...joins.map((join) => ({ ...join, run: () => runJoin(join, isQuick ? 0.5 : 2, rounds, say) })),
    { name: slow, run: () => runSlow(isQuick ? 4 : 12, rounds, say) },
  ];
  for (const one of cases) {
    if (!one.name.includes(only) || (one.isLong && only === '')) continue;
    say(one.name);
    rows.push(...(await one.run()));
  }
  return rows;
}

async function runMemory(rounds, say) {
  const measure = ({ by }) => measureWorker('retained', { by, keys: KEYS, bytes: LINE_BYTES });
  return rowsOf(memory, await alternate(memorySubjects, rounds, measure, say), {
    heapBytes: ({ heapPerKey }) => heapPerKey,
    beyondPayload: ({ beyondPayload }) => beyondPayload,
    saidBytes: ({ saysPerKey }) => saysPerKey,
  });
}

async function runJoin({ name, clients, keys }, aloneSeconds, rounds, say) {
  const load = { clients, keys, bytes: 250, watching: 20, aloneSeconds, isState: true };
  const figures = await alternate([raw, fenceline], rounds, (c) => measureJoining(c, load), say);
  return rowsOf(name, figures, joiningMeasures);
}

async function runSlow(seconds, rounds, say) {
  const measure = ({ by, order }) => measureWorker('slow-reader', { ...slowLoad, by, order, seconds });
  return rowsOf(slow, await alternate(slowSubjects, rounds, measure, say), {
    missedPerEvent: (of) => of.missedPerEvent,
    p50Ms: (of) => of.p50Ms,
    firstP99Ms: (of) => of.firstP99Ms,
    lastP99Ms: (of) => of.lastP99Ms,
    maxMs: (of) => of.maxMs,
    firstMicros: (of) => of.firstMicros,
    growth: ({ firstMicros, lastMicros }) => lastMicros / firstMicros,
  });
}

const joining = [
  'Joining: all readers come at once over HTTP/1.1 and read every key, 250 B each, until they are told `Current`.',
  'The raw loop holds the same bytes ready and writes them in pieces of 64 KiB.',
  'Meanwhile 20 others are sent a live event every 10 ms.',
].join(' ');

const slowness = [
  `A reader that takes 1 % of ${slowLoad.rate.toLocaleString('en')} events a second`,
  `of ${slowLoad.keys.toLocaleString('en')} keys: how old what it gets is when it gets it,`,
  'and the time that each costs (median of the turns).',
].join(' ');

export const report = (rows) => [
  'What a retained key takes: 100,000 keys, payloads of 250 B, in a process of their own, garbage collected.',
  list(pick(rows, [memory]), [
    { title: 'heap per key', measure: 'heapBytes', unit: ' B' },
    { title: 'beyond the payload’s JSON', measure: 'beyondPayload', unit: ' B' },
    { title: '`stats().retainedBytes` per key', measure: 'saidBytes', unit: ' B' },
  ]),
  joining,
  list(
    rows.filter((row) => joins.some(({ name }) => name === row.case)),
    joiningColumns(raw.name),
  ),
  slowness,
  list(pick(rows, [slow]), [
    { title: 'published for each it got', measure: 'missedPerEvent' },
    { title: 'age p50', measure: 'p50Ms', unit: ' ms' },
    { title: 'age p99, first quarter', measure: 'firstP99Ms', unit: ' ms' },
    { title: 'last quarter', measure: 'lastP99Ms', unit: ' ms' },
    { title: 'oldest', measure: 'maxMs', unit: ' ms' },
    { title: 'µs per event, first quarter', measure: 'firstMicros' },
    { title: 'last ÷ first', measure: 'growth' },
  ]),
];

const pick = (rows, cases) => rows.filter((row) => cases.includes(row.case));
