import { describe, expect, it } from 'vitest';

import { EventBroker } from '../../src/index.ts';
import { RedisEventLog } from '../../src/logs/redis/index.ts';
import { checkServer } from '../../src/logs/redis/server-facts.ts';
import { clientKinds, describeWithRedis } from '../servers/redis-server.ts';
import { bodyOf, cleanUpAfterEach, connect, follow, openOn, readTexts, startServer } from './redis-around.ts';

const headKey = '{events}:head';
const any = (value: object) => value as never;

describe('an option of a Redis log that cannot be right', () => {
  const client = any({ duplicate: () => undefined, callBuffer: () => undefined });
  it.each<[string, object]>([
    ['client', { client: {} }],
    ['stream', { stream: '' }],
    ['stream', { stream: '{a}' }],
    ['dedupeWindowMs', { dedupeWindowMs: -1 }],
    ['appendTimeoutMs', { appendTimeoutMs: 0 }],
    ['requestTimeoutMs', { requestTimeoutMs: Number.NaN }],
    ['retention.maxBytes', { retention: { maxBytes: -1 } }],
  ])('%s is refused', async (name, options) => {
    const opened = RedisEventLog.open({ client, stream: 'events', ...options });
    await expect(opened).rejects.toThrow(new RegExp(`^${name} must be`));
  });
});

describe('a server that is too old for a Redis log', () => {
  const server = { role: 'master', appendOnly: true, appendFsync: 'always', maxmemoryPolicy: 'noeviction' } as const;
  const check = (version: string) => () =>
    checkServer(
      { ...server, version, runId: 'a', syncsEachAppend: true, mayLackEnd: false },
      any({ stream: 'events' }),
    );

  it('is refused with what it is and what is needed', () => {
    for (const version of ['5.0.14', '6.0.20']) {
      expect(check(version)).toThrow(`RedisEventLog needs Redis 6.2 or newer; this is ${version}. Update it.`);
    }
    for (const version of ['6.2.0', '7.0.15', '8.2.1']) expect(check(version)).not.toThrow();
  });
});

describeWithRedis.each(clientKinds)('opening a Redis log over the client %s', (kind) => {
  cleanUpAfterEach();

  const refusal = (code: string, message: RegExp) =>
    ({ code, message: expect.stringMatching(message) as string }) as never;

  it.each<[string, string[], RegExp]>([
    ['a key of another type', ['SET', 'events', 'x'], /holds something else than an event log.*another name/],
    ['a head of another type', ['SET', headKey, 'x'], /holds something else than an event log.*another name/],
    ['a stream of somebody else', ['XADD', 'events', '*', 'a', 'b'], /is no event log.*another name/],
    ['a layout of before', ['HSET', headKey, 'layout', '1'], /layout of another version.*same version/],
    ['a layout of later', ['HSET', headKey, 'layout', '3'], /layout of another version.*same version/],
    ['a hash of somebody else', ['HSET', headKey, 'a', 'b'], /is no event log.*another name/],
    ['a head that is broken', ['HSET', headKey, 'layout', '2'], /is no event log.*another name/],
    ['ids of another type', ['SET', '{events}:ids', 'x'], /holds something else than an event log/],
    ['older ids of another type', ['SET', '{events}:ids:before', 'x'], /holds something else than an event log/],
  ])('refuses %s, and leaves it as it is', async (_, command, message) => {
    const server = await startServer();
    const { run } = await connect(server);
    await run(...command);
    const before = await run('DUMP', command[1] ?? '');
    await expect(openOn(server, kind)).rejects.toMatchObject(refusal('bad_request', message));
    expect(await run('DUMP', command[1] ?? '')).toEqual(before);
  });

  it('refuses a server that evicts, unless it is told otherwise', async () => {
    const server = await startServer('--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru');
    await expect(openOn(server, kind)).rejects.toMatchObject(refusal('bad_request', /allkeys-lru.*"noeviction"/));
    await expect(openOn(server, kind, { allowEviction: true })).resolves.toBeDefined();
  });

  it('refuses a read-only replica', async () => {
    const [primary, replica] = [await startServer(), await startServer()];
    await (await connect(replica)).run('REPLICAOF', '127.0.0.1', `${primary.port}`);
    await expect(openOn(replica, kind)).rejects.toMatchObject(refusal('log_unavailable', /read-only replica.*primary/));
  });

  it('refuses a user without rights, and tells no secret', async () => {
    const server = await startServer();
    const { run } = await connect(server);
    await run('ACL', 'SETUSER', 'default', 'resetkeys', '~other', '+@all');
    const refused: unknown = await openOn(server, kind).catch((error: unknown) => error);
    expect(refused).toMatchObject(refusal('bad_request', /lacks rights.*\+@write/));
  });

  it('says what it found, and declares the durability that it has', async () => {
    const declared = async (...settings: string[]) => {
      const log = await openOn(await startServer(...settings), kind);
      return [log.capabilities.durability, log.server.appendFsync];
    };
    expect(await declared()).toEqual(['disk', 'always']);
    expect(await declared('--appendfsync', 'everysec')).toEqual(['os', 'everysec']);
    expect(await declared('--appendonly', 'no')).toEqual(['none', 'always']);
  });

  it('takes a server that keeps CONFIG for itself for one that syncs nothing', async () => {
    const server = await startServer();
    const { run } = await connect(server);
    await run('ACL', 'SETUSER', 'default', '-config');
    const log = await openOn(server, kind);
    expect([log.capabilities.durability, log.server.appendFsync]).toEqual(['os', 'unknown']);
  });
});

describeWithRedis.each(clientKinds)('a Redis log over the client %s', (kind) => {
  cleanUpAfterEach();

  it('keeps so many records, so many bytes, and what is young enough', async () => {
    const server = await startServer();
    const { run } = await connect(server);
    const firstAfter = async (retention: object, count: number) => {
      await run('FLUSHALL');
      const log = await openOn(server, kind, { retention });
      for (let n = 0; n < count; n++) await log.append(new Uint8Array(100));
      return (await log.state()).first;
    };
    expect(await firstAfter({ maxRecords: 3 }, 10)).toBe(8);
    expect(await firstAfter({ maxBytes: 250 }, 10)).toBe(9);
    expect(await firstAfter({ maxRecords: 0 }, 4)).toBe(5);
    expect(await firstAfter({ maxAgeMs: 60_000 }, 4)).toBe(1);
    const log = await openOn(server, kind);
    await expect.poll(async () => (await log.trim({ maxAgeMs: 0 })).first).toBe(5);
  });

  it('trims a long log by bytes, however much there is to drop', async () => {
    const log = await openOn(await startServer('--appendfsync', 'no'), kind);
    await Promise.all(Array.from({ length: 3000 }, () => log.append(new Uint8Array(100))));
    expect(await log.trim({ maxBytes: 1000 })).toMatchObject({ first: 2991, head: 3000 });
  });

  it('gives what others put into the stream an index of its own, which is a told gap', async () => {
    const server = await startServer();
    const log = await openOn(server, kind);
    const tail = await follow(log);
    const broker = new EventBroker({ log });
    const subscription = await broker.subscribe({ index: 0 });
    const publish = () => broker.publish({ topic: 'A', type: 'T', key: 'k', payload: {} });
    const { run } = await connect(server);
    await publish();
    await run('XADD', 'events', '*', 'not', 'ours');
    await publish();
    await run('XADD', 'events', '4-0', 'not', 'ours');
    await tail.until(() => tail.indexes.length === 4);
    await publish();
    await tail.until(() => tail.indexes.length === 5);
    expect(tail.indexes).toEqual([1, 2, 3, 4, 5]);
    const gaps: unknown[] = [];
    for (let index = 0; index < 5;) {
      const { value } = await subscription.next();
      if (value?.gap) gaps.push({ from: value.gap.from, to: value.gap.to });
      index = value?.index ?? 5;
    }
    expect(gaps).toEqual([
      { from: 2, to: 2 },
      { from: 4, to: 4 },
    ]);
    expect(await log.state()).toMatchObject({ first: 1, head: 5 });
    await broker.close();
  });

  it('is a conflict for an append that expects the head behind which others put something', async () => {
    const server = await startServer();
    const log = await openOn(server, kind);
    await log.append(bodyOf('a'));
    await (await connect(server)).run('XADD', 'events', '*', 'not', 'ours');
    await expect(log.append(bodyOf('b'), { expectedHead: 1 })).rejects.toMatchObject({ code: 'index_conflict' });
    await expect(log.append(bodyOf('b'), { expectedHead: 2 })).resolves.toMatchObject({ index: 3 });
  });

  it('tells a record that was deleted as a gap, and a flush as another epoch', async () => {
    const server = await startServer();
    const log = await openOn(server, kind);
    const { run } = await connect(server);
    for (const text of ['a', 'b', 'c']) await log.append(bodyOf(text));
    await run('XDEL', 'events', '2-0');
    const tail = await follow(log);
    await tail.until(() => tail.indexes.length === 2);
    expect(tail.calls.find(({ type }) => type === 'gap')).toEqual({ type: 'gap', after: 1, first: 3 });
    await expect(readTexts(log, 1)).rejects.toMatchObject({ code: 'gap' });
    await run('FLUSHALL');
    await tail.until(() => tail.calls.some(({ type }) => type === 'reset'));
    expect(await log.append(bodyOf('new'))).toEqual({ index: 1, duplicate: false });
    await tail.until(() => tail.indexes.at(-1) === 1);
  });

  it('begins another epoch after a restart that may have cost it its end', async () => {
    const server = await startServer('--appendfsync', 'everysec');
    const log = await openOn(server, kind);
    await log.append(bodyOf('a'));
    const { epoch } = await log.state();
    await server.restart();
    await expect.poll(async () => (await openOn(server, kind)).state().then((now) => now.epoch)).not.toBe(epoch);
  });

  it('recognises ids for its window at least, and forgets them', async () => {
    const log = await openOn(await startServer(), kind, { dedupeWindowMs: 50 });
    const append = () => log.append(bodyOf('x'), { id: 'one' });
    expect([await append(), await append()]).toEqual([
      { index: 1, duplicate: false },
      { index: 1, duplicate: true },
    ]);
    await expect.poll(append, { interval: 120 }).toEqual({ index: 2, duplicate: false });
  });

  it('leaves the host’s client at work, with no listener of its own', async () => {
    const server = await startServer();
    const { client, run } = await connect(server, kind);
    const emitter = client as unknown as { listenerCount(event: string): number };
    const listeners = () => ['ready', 'error', 'end', 'close'].map((event) => emitter.listenerCount(event));
    const before = listeners();
    const log = await RedisEventLog.open({ client, stream: 'events' });
    await follow(log);
    await log.append(bodyOf('a'));
    await log.close();
    expect(listeners()).toEqual(before);
    expect(await run('PING')).toBe('PONG');
  });
});
