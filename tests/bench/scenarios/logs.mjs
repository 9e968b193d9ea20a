// Batches that outlive the process: acknowledged publishes, and catching up from far behind.
import { isInstalled, nats } from '../contenders/http/index.mjs';
import { alternate, measureWorker, rowsOf } from '../lib/measure.mjs';
import { hasPostgres } from '../workers/postgres-store.mjs';
import { median, ratios, short } from '../lib/statistics.mjs';
import { list, table } from '../lib/table.mjs';

/** Each beside the engine alone, with the same durability. */
const redis = ['always', 'everysec'].flatMap((sync) => [
  `Redis, appendfsync ${sync}`,
  `Redis without a broker, appendfsync ${sync}`,
  `XADD alone, appendfsync ${sync}`,
]);
/** Beside one INSERT each; with NOTIFY as it is sent, and as it is not: within the transaction. */
const postgres = [
  'PostgreSQL',
  'PostgreSQL, a transaction each',
  'PostgreSQL, NOTIFY within',
  'PostgreSQL, bare INSERT',
  'PostgreSQL, bare INSERT with NOTIFY',
];
const held = 'PostgreSQL, beside transactions of 10 ms';
const names = [
  'memory',
  'LMDB, on disk',
  'LMDB, durability "os"',
  'LMDB alone, on disk',
  ...(nats.length > 0 ? ['JetStream', 'JetStream alone'] : []),
  ...(hasPostgres ? postgres : []),
  ...(isInstalled('redis-server') ? redis : []),
];

const catchUp = 'catch-up';

/** Logs that another process reads: how long a record takes from one to the other. */
const shared = [
  'LMDB, on disk',
  ...(nats.length > 0 ? ['JetStream'] : []),
  ...(hasPostgres ? ['PostgreSQL', 'PostgreSQL, NOTIFY within', held] : []),
  ...names.filter((name) => name.startsWith('Redis, ')),
];
const steady = '1,000 per second';

export const title = 'Event logs';

export async function run({ isQuick, rounds, say, only }) {
  const seconds = isQuick ? 0.5 : 2;
  const logs = names.filter((name) => name.includes(only)).map((name) => ({ name }));
  const rows = [];
  for (const inFlight of [1, 64]) {
    const measure = ({ name }) => measureWorker('acknowledged', { log: name, inFlight, seconds });
    const figures = await alternate(logs, rounds, measure, say);
    rows.push(...rowsOf(`${inFlight} in flight`, figures, { publishesPerSecond: (one) => one.publishesPerSecond }));
  }
  rows.push(...(await runEndToEnd(seconds, rounds, say, only)));
  if (only !== '') return rows;
  return [...rows, ...(await runCatchUp(isQuick ? 100_000 : 1_000_000, isQuick ? 1 : 3, say))];
}

async function runEndToEnd(seconds, rounds, say, only) {
  const logs = shared.filter((name) => name.includes(only)).map((name) => ({ name }));
  const steadily = { perSecond: 1000, warmUpSeconds: 2 * seconds, seconds: 2 * seconds };
  const measure = ({ name }) => measureWorker('end-to-end', { log: name, ...steadily });
  const figures = await alternate(logs, rounds, measure, say);
  return rowsOf(steady, figures, Object.fromEntries(latencies.map((name) => [name, (one) => one[name]])));
}

async function runCatchUp(batches, rounds, say) {
  const subject = { name: `${batches.toLocaleString('en')} batches behind` };
  const figures = await alternate([subject], rounds, () => measureWorker('catch-up', { batches }), say);
  return rowsOf(catchUp, figures, {
    batchesPerSecond: (one) => one.batchesPerSecond,
    grownMegabytes: (one) => one.grownMegabytes,
    p99BeforeMs: (one) => one.p99BeforeMs,
    p99MeanwhileMs: (one) => one.p99MeanwhileMs,
  });
}

const latencies = ['acknowledged', 'told', 'after'].flatMap((name) => [`${name}P50Ms`, `${name}P99Ms`]);

const sections = [
  {
    says: 'Publishes of 250 B that the log has acknowledged, per second:',
    of: ({ case: name }) => name.endsWith('in flight'),
    columns: [{ title: 'publishes/s', measure: 'publishesPerSecond' }],
  },
  {
    says:
      'Events of 250 B, 1,000 per second: from the publish to its acknowledgement, to a client of another process ' +
      'over HTTP, and from the one to the other:',
    of: ({ case: name }) => name === steady,
    columns: [
      { title: 'acknowledged p50', measure: 'acknowledgedP50Ms', unit: ' ms' },
      { title: 'p99', measure: 'acknowledgedP99Ms', unit: ' ms' },
      { title: 'client p50', measure: 'toldP50Ms', unit: ' ms' },
      { title: 'p99', measure: 'toldP99Ms', unit: ' ms' },
      { title: 'acknowledgement to client p50', measure: 'afterP50Ms', unit: ' ms' },
      { title: 'p99', measure: 'afterP99Ms', unit: ' ms' },
    ],
  },
  {
    says: 'A subscriber that catches up from LMDB, while a live one is told of 200 other events per second:',
    of: ({ case: name }) => name === catchUp,
    columns: [
      { title: 'batches/s', measure: 'batchesPerSecond' },
      { title: 'memory grown', measure: 'grownMegabytes', unit: ' MB' },
      { title: 'live p99 before', measure: 'p99BeforeMs', unit: ' ms' },
      { title: 'live p99 meanwhile', measure: 'p99MeanwhileMs', unit: ' ms' },
    ],
  },
];

/** What was not run has no table. */
export const report = (rows) =>
  sections
    .map(({ says, of, columns }) => ({ says, columns, found: rows.filter(of) }))
    .filter(({ found }) => found.length > 0)
    .flatMap(({ says, columns, found }) => [says, list(found, columns)]);

/** Each log beside its engine alone, as docs/logs.md shows them. */
const compared = [
  ['LMDB, on disk', 'LMDB alone, on disk'],
  ['JetStream', 'JetStream alone'],
  ['PostgreSQL', 'PostgreSQL, bare INSERT'],
  ['Redis, appendfsync always', 'XADD alone, appendfsync always'],
  ['Redis, appendfsync everysec', 'XADD alone, appendfsync everysec'],
];

export function summary(rows) {
  const found = (contender, name) => rows.find((row) => row.contender === contender && row.case === name)?.measures;
  const throughput = (log, engine, name) => {
    const [own, bare] = [log, engine].map((contender) => found(contender, name)?.publishesPerSecond ?? []);
    return [short(median(own)), short(median(ratios(own, bare)))];
  };
  const lines = compared.map(([log, engine]) => [
    log,
    ...throughput(log, engine, '1 in flight'),
    ...throughput(log, engine, '64 in flight'),
    ...['P50Ms', 'P99Ms'].map((which) => short(median(found(log, steady)?.[`told${which}`] ?? []))),
  ]);
  const head = ['1 in flight', '× engine', '64 in flight', '× engine', 'p50, ms', 'p99, ms'];
  return table(['', ...head], lines);
}
