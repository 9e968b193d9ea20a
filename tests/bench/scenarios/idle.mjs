// Streams that are open and get nothing but heartbeats.
import { betterSse, compressed, fenceline, hono, nats, raw } from '../contenders/http/index.mjs';
import { openFileLimit } from '../lib/machine.mjs';
import { alternate, measureHttp, rowsOf } from '../lib/measure.mjs';
import { list } from '../lib/table.mjs';

const WANTED = 10_000;
/** Files that a process needs besides its sockets. */
const OTHER_FILES = 100;

export const title = 'Idle streams';

export async function run({ isQuick, rounds, say }) {
  const clients = Math.min(WANTED, openFileLimit() - OTHER_FILES);
  if (clients < WANTED) say(`open files are limited (ulimit -n): ${clients} streams instead of ${WANTED}`);
  const heartbeatMs = isQuick ? 1000 : 3000;
  const load = { clients, heartbeatMs, seconds: isQuick ? 2 : 9 };
  const contenders = [raw, betterSse, hono, ...nats, fenceline, compressed];
  const figures = await alternate(contenders, rounds, (c) => measureHttp(c, 'idle', load), say);
  return rowsOf(`${clients} streams`, figures, {
    kilobytesPerStream: ({ residentBytes, emptyBytes }) => (residentBytes - emptyBytes) / clients / 1024,
    cpuMicrosPerHeartbeat: ({ cpuSeconds, wallSeconds }) =>
      (cpuSeconds * 1e6) / (clients * (wallSeconds / (heartbeatMs / 1e3))),
    noise: ({ noise }) => noise,
  });
}

export const report = (rows) => [
  `${rows[0]?.case}; resident memory of the server process.`,
  list(rows, [
    { title: 'KB per stream', measure: 'kilobytesPerStream' },
    { title: 'CPU µs per heartbeat', measure: 'cpuMicrosPerHeartbeat' },
  ]),
];
