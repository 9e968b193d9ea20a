import { describe, expect, it } from 'vitest';
import { Acl, AclResolver, BrokerError, defineTopics, EventBroker, MemoryAclStore } from '../../../src/index.ts';
import type { EventBatch } from '../../../src/model/event.ts';
import type { EventLog, LogRecord, LogState } from '../../../src/core/log/event-log.ts';
import { FaultyEventLog, MemoryEventLog } from '../../../src/testing/index.ts';
import { PullLost } from '../../../src/logs/jetstream/record-pull.ts';
import { StreamTail } from '../../../src/logs/jetstream/stream-tail.ts';
import { drain } from '../../conformance/reading.ts';
import { logAround } from '../../logs/log-around.ts';
import { nomadRights } from '../../../src/nomad/index.ts';

const topics = defineTopics({
  Job: { requires: { namespace: 'read-job' } },
  ACLPolicy: { aclChange: 'policy' },
});
const job = (key: string, payload: unknown = { n: 0 }) =>
  ({ topic: 'Job', type: 'JobRegistered', key, namespace: 'default', payload }) as never;
const turns = async (n = 20) => {
  for (let i = 0; i < n; i++) await new Promise((resolve) => setImmediate(resolve));
};
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

async function withPolicy() {
  const store = new MemoryAclStore();
  await store.upsertPolicy({ name: 'p', rules: { namespace: { default: { policy: 'read' } } } });
  store.upsertToken({ accessorId: 'a', secretId: 's', type: 'client', policies: ['p'], roles: [] });
  return store;
}

/** All that can be had now; polls until nothing comes for a while. */
async function pollAll(subscription: { poll(): EventBatch | undefined }): Promise<EventBatch[]> {
  const seen: EventBatch[] = [];
  for (let idle = 0; idle < 30; idle++) {
    const batch = subscription.poll();
    if (batch) {
      seen.push(batch);
      idle = 0;
    } else await new Promise((resolve) => setImmediate(resolve));
  }
  return seen;
}

describe('a reader of a log', () => {
  it('a slow reader of a rare key that jumps from the log to the buffer and falls behind again gets each batch once', async () => {
    const broker = new EventBroker({ topics, log: new MemoryEventLog(), buffer: { maxBatches: 2 } });
    const subscription = await broker.subscribe({ topics: ['Job:slow'] });
    const fill = { fill: 'x'.repeat(40_000) };
    for (const n of range(1, 10)) await broker.publish(job(n === 1 || n === 10 ? 'slow' : 'other', fill));
    await turns();
    const seen: number[] = (await pollAll(subscription)).map(({ index }) => index);
    for (const n of range(11, 15)) await broker.publish(job(n === 11 ? 'slow' : 'other', fill));
    await turns();
    seen.push(...(await pollAll(subscription)).map(({ index }) => index));
    expect(seen).toEqual([1, 10, 11]);
  });

  it('a replaced log that was not followed: what came after a revocation in it is not handed to whom it denies', async () => {
    const store = await withPolicy();
    const shared = new MemoryEventLog();
    const log = new FaultyEventLog(shared.share());
    const writer = new EventBroker({ topics, log: shared, acl: new AclResolver({ rights: nomadRights, store }) });
    const server = new EventBroker({ topics, log, acl: new AclResolver({ rights: nomadRights, store }) });
    const tenant = await server.subscribe({ topics: ['Job'], token: 's' });
    await writer.publish(job('old'));
    await turns();
    expect((await pollAll(tenant)).map(({ index }) => index)).toEqual([1]);
    await log.goDown();
    shared.recreate();
    await turns();
    store.deletePolicy('p');
    await writer.aclChanged({ policy: 'p' }); // index 1 of the new log
    for (const n of range(2, 5)) expect(await writer.publish(job('secret'))).toBe(n);
    await log.goUp();
    await turns();
    const seen: string[] = [];
    await (async () => {
      for await (const { index, events } of tenant) seen.push(`${index}:${events[0]?.key}`);
    })().catch((error) => seen.push((error as BrokerError).code));
    expect(seen).toEqual(['acl_revoked']);
  });

  it('a replaced log whose tail lags: a reader that is behind gets none of its records as those of the old one', async () => {
    const shared = new MemoryEventLog();
    // What the tail was told, to be handed on later.
    const untold: (() => void)[] = [];
    let isLagging = false;
    const late =
      <A extends unknown[]>(tell: (...args: A) => void) =>
      (...args: A) =>
        isLagging ? void untold.push(() => tell(...args)) : tell(...args);
    const log = logAround(shared.share(), {
      tail: (after, listener) =>
        shared.tail(after, {
          records: late((batch) => listener.records(batch)),
          reset: late((state) => listener.reset(state)),
          gap: late((gap) => listener.gap(gap)),
          status: late((status, cause) => listener.status(status, cause)),
        }),
    });
    const broker = new EventBroker({ topics, log, buffer: { maxBatches: 1 } });
    for (const _ of range(1, 4)) await broker.publish(job('old'));
    await turns();
    const reader = await broker.subscribe({ topics: ['Job'], index: 1 });
    isLagging = true;
    shared.recreate();
    const writer = new EventBroker({ topics, log: shared.share() });
    for (const _ of range(1, 4)) await writer.publish(job('new'));
    expect((await pollAll(reader)).flatMap(({ events }) => events.map(({ key }) => key))).not.toContain('new');
    isLagging = false;
    for (const tell of untold) tell();
    const [first, ...others] = await pollAll(reader);
    expect(first?.gap).toMatchObject({ reason: 'restarted', epoch: broker.epoch });
    expect([first, ...others].flatMap((batch) => batch?.events.map(({ key }) => key))).toEqual(
      range(1, 4).map(() => 'new'),
    );
    await Promise.all([broker.close(), writer.close()]);
  });

  it('a revoked reader whose read meets a gap after the log was replaced gets nothing of the new log', async () => {
    const store = await withPolicy();
    const log = new MemoryEventLog();
    const broker = new EventBroker({
      topics,
      log,
      acl: new AclResolver({ rights: nomadRights, store }),
      buffer: { maxBatches: 1 },
    });
    for (const _ of range(1, 30)) await broker.publish(job('old', { fill: 'x'.repeat(40_000) }));
    await turns();
    const tenant = await broker.subscribe({ topics: ['Job'], token: 's' });
    const first = await tenant.next();
    expect(first.value?.index).toBe(1);
    store.deletePolicy('p');
    await broker.aclChanged({ policy: 'p' }); // index 31
    await turns();
    const seen: string[] = [];
    tenant.poll(); // asks the log for the next chunk
    log.recreate();
    for (let i = 0; i < 10; i++) await null; // the tail tells of it
    const other = new EventBroker({ topics, log: log.share() });
    for (const _ of range(1, 35)) await other.publish(job('new'));
    await log.trim({ maxRecords: 20 }); // 16 to 35 are left
    await turns();
    await (async () => {
      for await (const { index, events } of tenant) seen.push(`${index}:${events[0]?.key}`);
    })().catch((error) => seen.push((error as BrokerError).code));
    expect(seen.filter((text) => text.includes('new'))).toEqual([]);
    expect(seen.at(-1)).toBe('acl_revoked');
  });

  it('a stream that was cut and grew again past the tail is told to its readers', async () => {
    let records: LogRecord[] = [];
    const append = (count: number, key: string, time: number) => {
      for (let i = 0; i < count; i++) {
        const line = JSON.stringify({ v: 1, events: [['Job', 'JobRegistered', key, 'default', [], 4]] });
        records.push({ index: records.length + 1, kind: 'events', time, body: Buffer.from(`${line}\nnull`) });
      }
    };
    let lose: () => void = () => undefined;
    const state = async (): Promise<LogState> => ({ epoch: 'e', first: 1, head: records.length });
    const source = {
      connectionWatch: { isDown: false, untilBack: async () => undefined },
      state,
      timeOf: async (index: number) => records[index - 1]?.time,
      pull: async (from: number) => {
        let isLost = false;
        let next = from;
        lose = () => void (isLost = true);
        return {
          isDrained: true,
          take: async () => {
            for (;;) {
              await new Promise((resolve) => setImmediate(resolve));
              if (isLost) throw new PullLost('The connection broke.');
              const taken = records.slice(next - 1);
              next += taken.length;
              if (taken.length > 0) return taken;
            }
          },
          close: () => undefined,
        };
      },
    };
    const memory = new MemoryEventLog();
    const log = logAround(memory, {
      state,
      read: async function* (from, to) {
        yield records.slice(from - 1, to);
      },
      tail: async (after, handler) => new StreamTail(source as never, after, 'e', handler, () => undefined),
    });
    const broker = new EventBroker({ topics, log });
    const subscription = await broker.subscribe({ topics: ['Job'] });
    append(10, 'old', 1);
    await turns();
    expect((await pollAll(subscription)).length).toBe(10);
    // The server comes back without its last three records; another process writes 8' to 12' before we are connected
    // again.
    records = records.slice(0, 7);
    append(5, 'new', 2);
    lose();
    await turns();
    const seen = await pollAll(subscription);
    await broker.close();
    const told = seen.flatMap(({ index, events, gap }) => [
      ...(gap ? range(gap.from, gap.to) : []),
      `${index}:${events[0]?.key}`,
    ]);
    // 8' to 10' were acknowledged: each must be handed over, or lie in a gap.
    for (const index of [8, 9, 10])
      expect(told.includes(index) || told.includes(`${index}:new`), `${index} in ${told}`).toBe(true);
  });

  it('who resumes past the end of a log that came back shorter is told what may be given again', async () => {
    const broker = new EventBroker({ topics, log: new MemoryEventLog() });
    for (const n of range(1, 3)) await broker.publish(job('a', n));
    const resume = { index: 6, epoch: broker.epoch };
    const failing = broker.subscribe({ ...resume, onGap: 'fail' });
    await expect(failing).rejects.toMatchObject({ code: 'restarted', message: expect.stringContaining('from 4 on') });
    const subscription = await broker.subscribe(resume);
    await broker.publish(job('a', 4));
    expect(await pollAll(subscription)).toMatchObject([{ index: 4, gap: { from: 4, to: 5, reason: 'ahead' } }]);
  });

  it('who resumes where another process was further waits for this one, and is told nothing', async () => {
    const log = new MemoryEventLog();
    const tail: EventLog['tail'] = async () => ({ stop: async () => undefined });
    const behind = new EventBroker({ topics, log: logAround(log.share(), { tail }) });
    await behind.subscribe();
    const writer = new EventBroker({ topics, log });
    for (const n of range(1, 3)) await writer.publish(job('a', n));
    const subscription = await behind.subscribe({ index: 4, epoch: behind.epoch, onGap: 'fail' });
    expect(subscription).toMatchObject({ position: 3, state: 'synced' });
  });

  it('one record that is not ours does not hold a reader of the log for good', async () => {
    const log = new MemoryEventLog();
    await log.append(Buffer.from('hello'));
    const broker = new EventBroker({ topics, log });
    const subscription = await broker.subscribe({ topics: ['Job'] });
    await broker.publish(job('b'));
    await turns();
    expect((await subscription.next()).value?.index).toBe(2);
  });

  it('the error of a reader that fails on a gap stands in front of the gap', async () => {
    const broker = new EventBroker({ topics, buffer: { maxBatches: 2 } });
    const subscription = await broker.subscribe({ topics: ['Job'], onGap: 'fail' });
    await broker.publish(job('x'));
    expect(subscription.poll()?.index).toBe(1);
    for (const _ of range(2, 10)) await broker.publish(job('x'));
    const { error } = drain(subscription as never);
    expect(error).toMatchObject({ code: 'slow', index: 1 });
  });

  it('a revoked reader of a log with holes ends', async () => {
    const store = await withPolicy();
    const inner = new MemoryEventLog();
    const log: EventLog = logAround(inner, {
      capabilities: { ...inner.capabilities, dense: false } as never,
      // Record 5, the ACL change, is no longer there (max_msgs_per_subject).
      read: async function* (from, to, options) {
        for await (const records of inner.read(from, to, options)) {
          const kept = records.filter(({ index }: LogRecord) => index !== 5);
          if (kept.length > 0) yield kept;
        }
      },
    });
    const broker = new EventBroker({
      topics,
      log,
      acl: new AclResolver({ rights: nomadRights, store }),
      buffer: { maxBatches: 1 },
    });
    for (const _ of range(1, 4)) await broker.publish(job('x'));
    await turns();
    const operator = await broker.subscribe({ topics: ['Job'], acl: Acl.management });
    const tenant = await broker.subscribe({ topics: ['Job'], token: 's' });
    store.deletePolicy('p');
    await broker.aclChanged({ policy: 'p' });
    for (const _ of range(6, 150)) await broker.publish(job('x'));
    await turns();
    const seen: unknown[] = [];
    await (async () => {
      for await (const { index } of tenant) seen.push(index);
    })().catch((error) => seen.push((error as BrokerError).code));
    operator.close();
    expect(seen).toEqual([1, 2, 3, 4, 'acl_revoked']);
  });

  it('a gap that an old read tells late takes nothing from a reader of the new log', async () => {
    const inner = new MemoryEventLog();
    let fail: (error: Error) => void = () => undefined;
    let isHeld = false;
    const log = logAround(inner, {
      read: (from, to, options) => {
        if (!isHeld) return inner.read(from, to, options);
        isHeld = false;
        // StreamRead#look: 'The log was replaced by another one while it was read.'
        return { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>((_, reject) => (fail = reject)) }) };
      },
    });
    const broker = new EventBroker({ topics, log, buffer: { maxBatches: 1 } });
    for (const _ of range(1, 10)) await broker.publish(job('old'));
    await turns();
    const subscription = await broker.subscribe({ topics: ['Job'] });
    isHeld = true;
    subscription.poll();
    await turns();
    inner.recreate();
    await turns();
    fail(new BrokerError('gap', 'The log was replaced by another one while it was read.'));
    for (const _ of range(1, 3)) await broker.publish(job('new'));
    await turns();
    expect((await pollAll(subscription)).map(({ index }) => index)).toEqual([1, 2, 3]);
  });
});
