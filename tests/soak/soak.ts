// `npm run soak -- [--minutes N] [--seed N]`: real servers of every mount over one broker, whose log holds records that
// are not ours, readers whose rights come and go, and peers of every bad kind. Good readers must lose, double and see
// nothing that they may not; at the end nothing may be left.
import { parseArgs } from 'node:util';
import { Acl, defineTopics, EventBroker } from 'fenceline';
import { MemoryEventLog } from 'fenceline/testing';
import { sseHandler } from 'fenceline/sse';
import { compressedMount, mounts, onNode, type Mount } from '../adapters/mounts.ts';
import { hostilePeers, type Leave, type Target } from './hostile-peers.ts';
import { http2Fetch } from './http2-fetch.ts';
import { Witness } from './witness.ts';
import { nomadRights } from 'fenceline/nomad';

declare const gc: () => void;

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '2' }, seed: { type: 'string' } } });
const seed = Number(values.seed ?? Date.now() % 1e9);
const endsAt = Date.now() + Number(values.minutes) * 60_000;

let state = seed;
const random = (): number => (state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff) / 0x7fff_ffff;
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const settledHeap = async (): Promise<number> => {
  for (let i = 0; i < 4; i++) {
    await pause(50);
    gc();
  }
  return process.memoryUsage().heapUsed / 2 ** 20;
};

const topics = defineTopics({ Job: { requires: { namespace: 'read-job' } }, Node: {} });
const allowed = new Set(['good', 'churn']);
const rights = (token = ''): Acl =>
  Acl.fromRules(allowed.has(token) ? [{ namespace: { '*': { policy: 'read' } } }] : [], {
    rights: nomadRights,
    accessorId: token || 'anonymous',
  });

const heapBefore = await settledHeap();
const log = new MemoryEventLog({ retention: { maxRecords: 4000 } } as never);
const broker = new EventBroker({
  topics,
  log: log.share(),
  acl: { resolve: (token) => Promise.resolve(rights(token)) },
  stalledMs: 3000,
  buffer: { maxBatches: 500 },
});
const sseMount: Mount = { name: 'sseHandler', protocol: 'http1', path: '/', start: onNode(sseHandler) };
const servers = await Promise.all(
  [...mounts, compressedMount, sseMount].map(async (mount) => ({
    mount,
    server: await mount.start({ broker: broker as never, heartbeatMs: 1000 }),
  })),
);
const targets: readonly (Target & { name: string })[] = servers.map(({ mount: { name, path, protocol }, server }) => {
  return { name, path, protocol, port: server.port };
});
const reading = ({ name, port, path, protocol }: Target & { name: string }, how: string, token: string): Witness => {
  const options = protocol === 'http2' ? { fetch: http2Fetch } : {};
  return new Witness(`${name}, ${how}`, `http://127.0.0.1:${port}${path}`, token, options);
};
const steady = targets.map((target) => reading(target, 'steady', 'good'));
const churning = targets.map((target) => reading(target, 'rights that come and go', 'churn'));

const counts: Record<string, number> = { published: 0, poison: 0, revocations: 0 };
const count = (name: string): number => (counts[name] = (counts[name] ?? 0) + 1);
const present: Leave[] = [];
const [publishing, churningRights, harassing] = [publish(), churn(), harass()];
await Promise.all([publishing, churningRights, harassing]);
for (const leave of present) leave();
const violations = await finish();
console.table(counts);
console.table([...steady, ...churning].map(({ name, batches, gaps, ends }) => ({ name, batches, gaps, ends })));
for (const violation of violations.slice(0, 20)) console.log(`VIOLATION ${violation}`);
console.log(`soak: seed ${seed}, ${values.minutes} min, ${violations.length} violations`);
process.exit(violations.length > 0 ? 1 : 0);

async function publish(): Promise<void> {
  for (let n = 0; Date.now() < endsAt; n++) {
    const payload = { n, text: 'x'.repeat(random() < 0.02 ? 50_000 : random() * 500) };
    await broker.publish({ topic: 'Job', type: 'Made', key: 'a', namespace: 'default', payload });
    count('published');
    if (random() < 0.002 && count('poison')) await log.append(Buffer.from('{"v":1,"events":[null]}'));
    if (random() < 0.3) await pause(1);
  }
}

async function churn(): Promise<void> {
  while (Date.now() < endsAt) {
    await pause(200 + random() * 800);
    allowed.delete('churn');
    await broker.aclChanged({ token: 'churn' });
    const { head } = await log.state();
    for (const witness of churning) witness.fence = head;
    count('revocations');
    await pause(200 + random() * 500);
    for (const witness of churning) witness.fence = undefined;
    allowed.add('churn');
    await broker.aclChanged({ token: 'churn' });
  }
}

async function harass(): Promise<void> {
  const kinds = Object.entries(hostilePeers);
  while (Date.now() < endsAt) {
    const [kind, join] = kinds[Math.floor(random() * kinds.length)] ?? [];
    const wanted = targets.filter(({ protocol }) => (protocol === 'http2') === (kind === 'http2Streams'));
    const target = wanted[Math.floor(random() * wanted.length)];
    if (kind === undefined || join === undefined || target === undefined) continue;
    count(kind);
    present.push(join(target, random));
    if (present.length > 200) present.shift()?.();
    await pause(20);
  }
}

async function finish(): Promise<readonly string[]> {
  const last = (counts['published'] ?? 0) - 1;
  const isBehind = (): boolean => [...steady, ...churning].some((witness) => witness.last < last);
  for (let i = 0; i < 600 && isBehind(); i++) await pause(100);
  const found = [...steady, ...churning].flatMap(({ name, violations: own, last: seen }) => [
    ...own.map((text) => `${name}: ${text}`),
    ...(seen < last ? [`${name}: ended at ${seen} of ${last}`] : []),
  ]);
  await Promise.all([...steady, ...churning].map((witness) => witness.stop()));
  for (let i = 0; i < 100 && broker.stats().subscriptions > 0; i++) await pause(100);
  const { subscriptions, interests } = broker.stats();
  if (subscriptions + interests > 0) found.push(`${subscriptions} subscriptions and ${interests} interests are left`);
  await broker.close();
  await log.close();
  await Promise.all(servers.map(({ server }) => server.close()));
  await pause(6000);
  const left = process.getActiveResourcesInfo().filter((name) => /TCP|Timeout|Immediate/.test(name));
  if (left.length > 1) found.push(`left behind: ${left.join(', ')}`);
  const grown = (await settledHeap()) - heapBefore;
  counts['heap grown, MB'] = Math.round(grown);
  if (grown > 60) found.push(`the heap has grown by ${Math.round(grown)} MB`);
  return found;
}
