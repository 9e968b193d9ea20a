// Readers join a state: a server process, a process of the readers who join, and one of those who watch live events.
import { startClient, startHost } from './measure.mjs';

/** @param params `keys`, `bytes` of each, `clients` who join, `watching`, and `aloneSeconds` before */
export async function measureJoining(contender, params) {
  const { keys, bytes, clients, watching, aloneSeconds } = params;
  const host = startHost(params);
  const [joining, watchers] = [startClient(), startClient()];
  try {
    const options = { keys, bytes, ...contender.options };
    const { watch, ...address } = await host.ask({ setup: { module: contender.module, options } });
    await watchers.ask({ ...watch, clients: watching, isStamped: true, stalled: 0 });
    const alone = await host.ask({ load: 'liveAlone', params: { seconds: aloneSeconds } });
    const [figures] = await Promise.all([
      host.ask({ load: 'join', params: { keys, clients } }),
      joining.ask({ ...address, clients, keys, stalled: 0 }),
    ]);
    return { ...figures, aloneP99Ms: alone.p99Ms };
  } finally {
    await Promise.all([joining.end(), watchers.end(), host.end()]);
  }
}
