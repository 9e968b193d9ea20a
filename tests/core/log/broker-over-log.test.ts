import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Acl, AclResolver, defineTopics, EventBroker, MemoryAclStore, type Subscription } from '../../../src/index.ts';
import { FaultyEventLog, MemoryEventLog } from '../../../src/testing/index.ts';
import { nomadRights } from '../../../src/nomad/index.ts';

const topics = defineTopics({
  Job: { requires: { namespace: 'read-job' } },
  ACLPolicy: { aclChange: 'policy' },
});
const job = (key: string, n = 0) =>
  ({ topic: 'Job', type: 'JobRegistered', key, namespace: 'default', payload: { n } }) as const;

/** The next batches' indexes. */
async function take(subscription: Subscription<never> | Subscription, count: number): Promise<number[]> {
  const indexes: number[] = [];
  for (let i = 0; i < count; i++) {
    const { value } = await (subscription as Subscription).next();
    if (value) indexes.push(value.index);
  }
  return indexes;
}

/** Resolves when the broker's own tail has come so far. */
async function reached(broker: EventBroker<never, never>, index: number): Promise<void> {
  const subscription = await broker.subscribe({ index });
  await (subscription as unknown as Subscription).next();
  subscription.close();
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe('a broker over a log', () => {
  it('publishes with the index that the log gives, and delivers what comes back', async () => {
    const broker = new EventBroker({ topics, log: new MemoryEventLog() });
    const subscription = await broker.subscribe({ topics: ['Job:web'] });
    expect(await broker.publish(job('web', 5))).toBe(1);
    expect((await subscription.next()).value).toEqual({
      index: 1,
      events: [{ ...job('web', 5), filterKeys: [], index: 1 }],
    });
  });

  it('shows all brokers of one log the same order, whoever published', async () => {
    const log = new MemoryEventLog();
    const [a, b] = [new EventBroker({ topics, log }), new EventBroker({ topics, log: log.share() })];
    const [fromA, fromB] = [await a.subscribe({ topics: ['Job'] }), await b.subscribe({ topics: ['Job'] })];
    await Promise.all(range(1, 20).map((n) => (n % 2 ? a : b).publish(job(`k${n}`))));
    const read = async (s: Subscription<never>) => {
      const keys: string[] = [];
      for (let i = 0; i < 20; i++) keys.push((await (s as unknown as Subscription).next()).value?.events[0]?.key ?? '');
      return keys;
    };
    expect(await read(fromA as never)).toEqual(await read(fromB as never));
  });

  it('reads what a process before it published, and joins what comes without gap and repeat', async () => {
    const log = new MemoryEventLog();
    const before = new EventBroker({ topics, log });
    for (const n of range(1, 50)) await before.publish(job(`k${n}`));
    await before.close();
    const broker = new EventBroker({ topics, log: log.share(), buffer: { maxBatches: 4 } });
    const subscription = await broker.subscribe({ topics: ['Job'] });
    const publishing = (async () => {
      for (const n of range(51, 100)) await broker.publish(job(`k${n}`));
    })();
    expect(await take(subscription as never, 100)).toEqual(range(1, 100));
    await publishing;
  });

  it.each([
    { from: 'the buffer', buffer: {} },
    { from: 'the log', buffer: { maxBatches: 1 } },
  ])('hands nobody a batch without events: news of ACLs alone, read from $from', async ({ buffer }) => {
    const broker = new EventBroker({ topics, log: new MemoryEventLog(), buffer });
    await broker.aclChanged({ policy: 'p' });
    await broker.publish(job('a'));
    await broker.aclChanged([{ policy: 'p' }, { token: 't' }]);
    await broker.publish(job('b'));
    await reached(broker as never, 4);
    for (const request of [{ namespace: '*' }, { topics: ['Job'] }] as const) {
      const subscription = await broker.subscribe(request);
      expect(await take(subscription as never, 2)).toEqual([2, 4]);
      expect(subscription.poll()).toBeUndefined();
    }
  });

  it('never cuts a slow subscription off while the log reaches back', async () => {
    const broker = new EventBroker({ topics, log: new MemoryEventLog(), buffer: { maxBatches: 2 } });
    const subscription = await broker.subscribe({ topics: ['Job:slow'], onGap: 'fail' });
    for (const n of range(1, 60)) await broker.publish(job(n % 2 ? 'slow' : 'other'));
    expect(await take(subscription as never, 30)).toEqual(range(1, 60).filter((n) => n % 2));
  });

  it.each([
    { index: 9, gap: { from: 9, to: 10, reason: 'trimmed' } },
    { index: 10, gap: { from: 10, to: 10, reason: 'trimmed' } },
    { index: 11, gap: undefined },
  ])('tells of history that the log has trimmed up to 10, asked for $index', async ({ index, gap }) => {
    const log = new MemoryEventLog();
    const broker = new EventBroker({ topics, log, buffer: { maxBatches: 2 } });
    for (const n of range(1, 30)) await broker.publish(job(`k${n}`));
    await reached(broker as never, 30);
    await log.trim({ maxRecords: 20 });
    const { value } = await (await broker.subscribe({ topics: ['Job'], index })).next();
    expect(value).toMatchObject({ index: 11 });
    expect(value?.gap).toEqual(gap);
  });

  it('tells of what is trimmed while it is being read', async () => {
    const inner = new MemoryEventLog();
    const log = new FaultyEventLog(inner);
    const broker = new EventBroker({ topics, log, buffer: { maxBatches: 2 } });
    // Payloads of which few fit into a chunk, so that reading takes several.
    const payload = { n: 0, fill: 'x'.repeat(100_000) };
    for (const n of range(1, 30)) await broker.publish({ ...job(`k${n}`), payload });
    await reached(broker as never, 30);
    const subscription = await broker.subscribe({ topics: ['Job'] });
    log.trimDuringRead(1, { maxRecords: 10 });
    const seen: number[] = [];
    while (seen.at(-1) !== 30) {
      const { value } = await subscription.next();
      if (value?.gap) {
        expect(value.gap).toEqual({ from: (seen.at(-1) ?? 0) + 1, to: 20, reason: 'slow' });
        seen.push(...range(value.gap.from, value.gap.to));
      }
      if (value) seen.push(value.index);
    }
    expect(seen).toEqual(range(1, 30));
    expect(broker.stats().gaps).toBe(1);
  });

  it('tells every subscriber that a log that was replaced has begun anew', async () => {
    const log = new MemoryEventLog();
    const broker = new EventBroker({ topics, log });
    const subscription = await broker.subscribe({ topics: ['Job'] });
    for (const n of range(1, 3)) await broker.publish(job(`k${n}`));
    await take(subscription as never, 3);
    const before = broker.epoch;
    log.recreate();
    await broker.publish(job('new'));
    const { value } = await subscription.next();
    expect(broker.epoch).not.toBe(before);
    expect(value).toMatchObject({ index: 1, gap: { from: 4, reason: 'restarted', epoch: broker.epoch } });
  });

  it('keeps live streams open while the log is down, refuses publishes, and goes on from where it was', async () => {
    const log = new FaultyEventLog(new MemoryEventLog());
    const broker = new EventBroker({ topics, log });
    const told: string[] = [];
    broker.on('log', ({ status }) => told.push(status));
    const subscription = await broker.subscribe({ topics: ['Job'] });
    await broker.publish(job('a'));
    await log.goDown();
    await expect(broker.publish(job('b'))).rejects.toMatchObject({ code: 'log_unavailable' });
    await log.goUp();
    await broker.publish(job('c'));
    expect(await take(subscription as never, 2)).toEqual([1, 2]);
    expect(told).toContain('down');
    if (told.at(-1) !== 'up') await new Promise((resolve) => broker.once('log', resolve));
    expect(told.at(-1)).toBe('up');
  });

  it('holds publishes while the log is down, where asked to', async () => {
    const log = new FaultyEventLog(new MemoryEventLog());
    const broker = new EventBroker({ topics, log, publishWhenDown: 'wait' });
    await broker.publish(job('a'));
    await log.goDown();
    const waiting = broker.publish(job('b'));
    await log.goUp();
    expect(await waiting).toBe(2);
  });

  it('makes one batch of publishes with one id, and refuses an expected index that is not the newest', async () => {
    const broker = new EventBroker({ topics, log: new MemoryEventLog() });
    expect(await broker.publish(job('a'), { id: 'x' })).toBe(1);
    expect(await broker.publish(job('a'), { id: 'x' })).toBe(1);
    await expect(broker.publish(job('b'), { expectedIndex: 0 })).rejects.toMatchObject({ code: 'index_conflict' });
    expect(await broker.publish(job('b'), { expectedIndex: 1 })).toBe(2);
    await expect(broker.publish(job('c'), { index: 9 })).rejects.toMatchObject({ code: 'not_supported' });
  });

  it.each(['', 7, null])('refuses the id %j as bad input, which is no outage', async (id) => {
    const broker = new EventBroker({ log: new MemoryEventLog() });
    const refused = { code: 'bad_request', message: expect.stringContaining('id must be a string that is not empty') };
    await expect(broker.publish(job('web'), { id: id as never })).rejects.toMatchObject(refused);
    expect(broker.stats()).toMatchObject({ latestIndex: 0, log: 'up' });
  });

  it('holds the fence in every process: nothing published after a revocation reaches whom it denies', async () => {
    const store = new MemoryAclStore();
    await store.upsertPolicy({ name: 'p', rules: { namespace: { default: { policy: 'read' } } } });
    store.upsertToken({ accessorId: 'a', secretId: 's', type: 'client', policies: ['p'], roles: [] });
    const log = new MemoryEventLog();
    const acl = () => new AclResolver({ rights: nomadRights, store });
    const writer = new EventBroker({ topics, log, acl: acl() });
    const server = new EventBroker({ topics, log: log.share(), acl: acl(), buffer: { maxBatches: 2 } });
    const tenant = await server.subscribe({ topics: ['Job'], token: 's' });
    const operator = await server.subscribe({ topics: ['Job'], acl: Acl.management });
    for (const n of range(1, 5)) await writer.publish(job(`k${n}`));
    store.deletePolicy('p');
    await writer.aclChanged({ policy: 'p' });
    for (const n of range(7, 9)) await writer.publish(job(`k${n}`));
    expect(await take(operator as never, 8)).toEqual([...range(1, 5), ...range(7, 9)]);
    const seen: number[] = [];
    await expect(
      (async () => {
        for await (const { index } of tenant) seen.push(index);
      })(),
    ).rejects.toMatchObject({ code: 'acl_revoked' });
    expect(seen).toEqual(range(1, 5));
  });

  it('gives every reader, wherever it starts and however small the buffer, every batch once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 6 }),
        async (maxBatches, starts) => {
          const log = new MemoryEventLog();
          const [a, b] = [
            new EventBroker({ topics, log }),
            new EventBroker({ topics, log: log.share(), buffer: { maxBatches } }),
          ];
          for (const n of range(1, 20)) await a.publish(job(`k${n}`));
          const { epoch } = await log.state();
          const start = (index: number) => b.subscribe({ topics: ['Job'], index: Math.min(index, 21), epoch });
          const readers = await Promise.all(starts.map(start));
          const reading = Promise.all(
            readers.map((reader, i) => take(reader as never, 41 - Math.min(starts[i] ?? 1, 21))),
          );
          await Promise.all(range(21, 40).map((n) => (n % 2 ? a : b).publish(job(`k${n}`))));
          expect(await reading).toEqual(starts.map((index) => range(Math.min(index, 21), 40)));
          await Promise.all([a.close(), b.close()]);
        },
      ),
      { numRuns: 25 },
    );
  });
});
