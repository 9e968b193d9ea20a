// Batches that outlive the process: acknowledged publishes, and catching up from far behind.
import { nats } from '../contenders/http/index.mjs';
import { alternate, measureWorker, rowsOf } from '../lib/measure.mjs';
import { list } from '../lib/table.mjs';

const names = ['memory', 'LMDB, on disk', 'LMDB, durability "os"', ...(nats.length > 0 ? ['JetStream'] : [])];
const logs = names.map((name) => ({ name }));
const catchUp = 'catch-up';

export const title = 'Event logs';

export async function run({ isQuick, rounds, say }) {
  const seconds = isQuick ? 0.5 : 2;
  const rows = [];
  for (const inFlight of [1, 64]) {
    const measure = ({ name }) => measureWorker('acknowledged', { log: name, inFlight, seconds });
    const figures = await alternate(logs, Math.min(3, rounds), measure, say);
    rows.push(...rowsOf(`${inFlight} in flight`, figures, { publishesPerSecond: (one) => one.publishesPerSecond }));
  }
  return [...rows, ...(await runCatchUp(isQuick ? 100_000 : 1_000_000, isQuick ? 1 : 3, say))];
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

export const report = (rows) => [
  'Publishes of 250 B that the log has acknowledged, per second:',
  list(
    rows.filter((row) => row.case !== catchUp),
    [{ title: 'publishes/s', measure: 'publishesPerSecond' }],
  ),
  'A subscriber that catches up from LMDB, while a live one is told of 200 other events per second:',
  list(
    rows.filter((row) => row.case === catchUp),
    [
      { title: 'batches/s', measure: 'batchesPerSecond' },
      { title: 'memory grown', measure: 'grownMegabytes', unit: ' MB' },
      { title: 'live p99 before', measure: 'p99BeforeMs', unit: ' ms' },
      { title: 'live p99 meanwhile', measure: 'p99MeanwhileMs', unit: ' ms' },
    ],
  ),
];
