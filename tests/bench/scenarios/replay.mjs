// A full buffer is replayed to clients that come all at once.
import { fenceline, raw } from '../contenders/http/index.mjs';
import { alternate, measureHttp, rowsOf } from '../lib/measure.mjs';
import { list } from '../lib/table.mjs';

const EVENTS = 4096;
const BYTES = 250;
const CLIENTS = 100;

const measures = {
  millisecondsPerClient: ({ wallSeconds }) => (wallSeconds / CLIENTS) * 1e3,
  deliveriesPerSecond: ({ wallSeconds }) => (EVENTS * CLIENTS) / wallSeconds,
  cpuMillisecondsPerClient: ({ cpuSeconds }) => (cpuSeconds / CLIENTS) * 1e3,
};

export const title = 'Replay of a full buffer';

export async function run({ rounds, say }) {
  const contenders = [{ ...raw, options: { keepsBacklog: true } }, fenceline];
  const load = { clients: CLIENTS, bytes: BYTES, events: EVENTS };
  const figures = await alternate(contenders, rounds, (c) => measureHttp(c, 'replay', load), say);
  return rowsOf('', figures, measures);
}

export const report = (rows) => [
  `${EVENTS} batches of ${BYTES} B to each of ${CLIENTS} clients that connect at once, connecting included; the raw loop writes the lines one by one.`,
  list(rows, [
    { title: 'per client', measure: 'millisecondsPerClient', unit: ' ms' },
    { title: 'CPU per client', measure: 'cpuMillisecondsPerClient', unit: ' ms' },
    { title: 'deliveries/s', measure: 'deliveriesPerSecond' },
    { title: '× raw', measure: 'deliveriesPerSecond', reference: raw.name },
  ]),
];
