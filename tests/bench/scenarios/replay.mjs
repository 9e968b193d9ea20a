// A full buffer is replayed to clients that come all at once.
import * as back from '../contenders/replay/index.mjs';
import { fenceline, raw } from '../contenders/http/index.mjs';
import { joiningColumns, joiningMeasures, measureJoining } from '../lib/joining.mjs';
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

/** All who were there come back after a deploy. */
const many = '1,000 clients, 2,000 events of 1 KB';

export async function run({ isQuick, rounds, say, only }) {
  const few = ''.includes(only) ? await runFew(rounds, say) : [];
  return many.includes(only) ? [...few, ...(await runMany(isQuick ? 0.5 : 2, rounds, say))] : few;
}

async function runMany(aloneSeconds, rounds, say) {
  const load = { clients: 1000, keys: 2000, bytes: 1000, watching: 20, aloneSeconds, isState: false };
  const contenders = [back.raw, back.pieces, back.fenceline];
  return rowsOf(many, await alternate(contenders, rounds, (c) => measureJoining(c, load), say), joiningMeasures);
}

async function runFew(rounds, say) {
  const contenders = [{ ...raw, options: { keepsBacklog: true } }, fenceline];
  const load = { clients: CLIENTS, bytes: BYTES, events: EVENTS };
  const figures = await alternate(contenders, rounds, (c) => measureHttp(c, 'replay', load), say);
  return rowsOf('', figures, measures);
}

export const report = (rows) => [
  `${EVENTS} batches of ${BYTES} B to each of ${CLIENTS} clients that connect at once, connecting included; the raw loop writes the lines one by one.`,
  list(
    rows.filter((row) => row.case === ''),
    [
      { title: 'per client', measure: 'millisecondsPerClient', unit: ' ms' },
      { title: 'CPU per client', measure: 'cpuMillisecondsPerClient', unit: ' ms' },
      { title: 'deliveries/s', measure: 'deliveriesPerSecond' },
      { title: '× raw', measure: 'deliveriesPerSecond', reference: raw.name },
    ],
  ),
  'After a deploy: all come back at once, while 20 others are sent a live event every 10 ms.',
  list(
    rows.filter((row) => row.case === many),
    joiningColumns(back.raw.name),
  ),
];
