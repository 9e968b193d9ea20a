// Readers join a state, or come back for what they missed: a server process, a process of the readers who join, and one
// of those who watch live events.
import { startClient, startHost } from './measure.mjs';

/**
 * @param params `keys` of a state or events of a backlog, `bytes` of each, `clients` who join, `watching`,
 * `aloneSeconds` before, and `isState`
 */
export async function measureJoining(contender, params) {
  const { keys, bytes, clients, watching, aloneSeconds, isState } = params;
  const host = startHost(params);
  const [joining, watchers] = [startClient(), startClient()];
  try {
    const options = { keys, bytes, ...contender.options };
    const { watch, ...address } = await host.ask({ setup: { module: contender.module, options } });
    await watchers.ask({ ...watch, clients: watching, isStamped: true, stalled: 0 });
    const alone = await host.ask({ load: 'liveAlone', params: { seconds: aloneSeconds } });
    const [figures] = await Promise.all([
      host.ask({ load: 'join', params: { keys, clients, isState } }),
      joining.ask({ ...address, clients, keys, stalled: 0 }),
    ]);
    return { ...figures, aloneP99Ms: alone.p99Ms };
  } finally {
    await Promise.all([joining.end(), watchers.end(), host.end()]);
  }
}

/** What is measured of it. */
export const joiningMeasures = {
  megabytesPerSecond: ({ bytes, wallSeconds }) => bytes / 1e6 / wallSeconds,
  megabytesPerCpuSecond: ({ bytes, cpuSeconds }) => bytes / 1e6 / cpuSeconds,
  aloneP99Ms: (of) => of.aloneP99Ms,
  p99Ms: (of) => of.p99Ms,
};

/** Its columns. @param raw the name of the contender that all others are measured against */
export const joiningColumns = (raw) => [
  { title: 'MB/s', measure: 'megabytesPerSecond' },
  { title: '× raw', measure: 'megabytesPerSecond', reference: raw },
  { title: 'MB per CPU second', measure: 'megabytesPerCpuSecond' },
  { title: '× raw', measure: 'megabytesPerCpuSecond', reference: raw },
  { title: 'live p99 before', measure: 'aloneP99Ms', unit: ' ms' },
  { title: 'live p99 meanwhile', measure: 'p99Ms', unit: ' ms' },
];
