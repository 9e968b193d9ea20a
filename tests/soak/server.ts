// A server of the soak: `node … tests/soak/server.ts engine port storeUrl`. Every mount over one broker, whose log
// other processes share. Says where it listens, answers what it takes, and ends when it is told to or when its parent
// is gone.
import { AclResolver, EventBroker, type AclPolicy, type AclStore, type AclToken } from 'fenceline';
import { sseHandler } from 'fenceline/sse';
import { compressedMount, forNode, mounts, type HeaderOf, type Mount } from '../adapters/mounts.ts';
import { MountedServer } from '../adapters/mounted-server.ts';
import { openSharedLog } from '../logs/shared-log.ts';
import { createServer } from 'node:http';
import { rights, topics } from './topics.ts';

declare const gc: () => void;

/** What a server tells of itself. */
export type ServerSays =
  | { readonly targets: readonly { name: string; port: number; path: string; protocol: 'http1' | 'http2' }[] }
  | { readonly heapBytes: number; readonly residentBytes: number; readonly subscriptions: number; interests: number };

const [engine = '', port, storeUrl = ''] = process.argv.slice(2);
// A parent that is gone hears nothing; `disconnect` ends this process.
const say = (what: ServerSays): unknown => process.send?.(what, undefined, undefined, () => undefined);
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const ask = async (path: string): Promise<unknown> => {
  const response = await fetch(`${storeUrl}${path}`);
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`The store answered ${response.status}.`);
  return response.json();
};
const store: AclStore = {
  tokenBySecretId: async (secret) => (await ask(`/token/${secret}`)) as AclToken | undefined,
  policyByName: async (policy) => (await ask(`/policy/${policy}`)) as AclPolicy | undefined,
  roleById: () => undefined,
};
const { log, close } = await untilItDoes(() => openSharedLog(engine, Number(port), { maxRecords: 20_000 }));
const broker = new EventBroker({
  topics,
  log,
  acl: new AclResolver({ rights, store }),
  stalledMs: 3000,
  buffer: { maxBatches: 500 },
});
await untilItDoes(() => broker.ready());

const pin = (header: HeaderOf) => (header('x-scope') === undefined ? undefined : ({ scope: 'allowed' } as const));
const sse: Mount = {
  name: 'sseHandler',
  protocol: 'http1',
  path: '/',
  start: (options) => MountedServer.listening(createServer(sseHandler(forNode(options))).listen(0, '127.0.0.1')),
};
const servers: MountedServer[] = [];
const targets = await Promise.all(
  [...mounts, compressedMount, sse].map(async ({ name, path, protocol, start }) => {
    const server = await start({ broker: broker as never, heartbeatMs: 1000, pin });
    servers.push(server);
    return { name, path, protocol, port: server.port };
  }),
);
say({ targets });

process.on('message', (what) => {
  if (what === 'close') void end();
  else void tell();
});
const orphaned = (): never => process.exit(0);
process.on('disconnect', orphaned);

/** A server may be started while its log is out of reach. */
async function untilItDoes<T>(start: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await start();
    } catch {
      await pause(100);
    }
  }
}

/** With all closed nothing may be left that keeps the process alive. */
async function end(): Promise<void> {
  await broker.close();
  await log.close();
  await close();
  await Promise.all(servers.map((server) => server.close()));
  process.off('disconnect', orphaned).disconnect();
  setTimeout(() => {
    console.error(`left behind: ${process.getActiveResourcesInfo().join(', ')}`);
    process.exit(3);
  }, 10_000).unref();
}

/** What is taken after the collector ran: twice, since what the first run frees may hold what the second does. */
async function tell(): Promise<void> {
  for (let i = 0; i < 2; i++) {
    gc();
    await new Promise(setImmediate);
  }
  const { heapUsed, rss } = process.memoryUsage();
  const { subscriptions, interests } = broker.stats();
  say({ heapBytes: heapUsed, residentBytes: rss, subscriptions, interests });
}
