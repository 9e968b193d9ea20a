import { describe, expect, it } from 'vitest';
import { AclResolver } from '../../src/acl/acl-resolver.ts';
import { MemoryAclStore } from '../../src/acl/acl-store.ts';
import { ndjsonFormat, ndjsonStream } from '../../src/adapters/ndjson.ts';
import { EventBroker } from '../../src/core/broker/event-broker.ts';
import { defineTopics } from '../../src/model/topics.ts';
import { MemoryEventLog } from '../../src/testing/index.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { drain } from '../conformance/reading.ts';
import { nomadRights } from '../../src/nomad/index.ts';

const topics = defineTopics({ Job: { requires: { namespace: 'read-job' } }, ACLToken: { aclChange: 'token' } });

function job(epoch: string) {
  return { topic: 'Job', type: 'x', key: 'web', namespace: 'default', payload: epoch } as const;
}

function brokerWithToken(options: { log?: MemoryEventLog; clock?: VirtualClock } = {}) {
  const store = new MemoryAclStore();
  store.upsertPolicy({ name: 'p', rules: { namespace: { default: { policy: 'read' } } } });
  store.upsertToken({ accessorId: 't', secretId: 's', type: 'client', policies: ['p'] });
  const broker = new EventBroker({ topics, acl: new AclResolver({ rights: nomadRights, store }), ...options });
  return { broker, revoke: () => (store.deleteToken('t'), broker.aclChanged({ token: 't' })) };
}

describe('when the log is another one', () => {
  it('a revoked subscription gets nothing of it, although the new indexes lie below its fence', async () => {
    const log = new MemoryEventLog();
    const { broker, revoke } = brokerWithToken({ log });
    const subscription = await broker.subscribe({ topics: ['Job'], token: 's' });
    for (let i = 0; i < 10; i++) await broker.publish(job('old'));
    await revoke();
    await new Promise(setImmediate);
    log.recreate();
    for (let i = 0; i < 10; i++) await broker.publish(job('new'));
    await new Promise(setImmediate);
    const { batches, error } = drain(subscription);
    expect(batches.flatMap(({ events }) => events.map(({ payload }) => payload))).not.toContain('new');
    expect(error?.code).toBe('acl_revoked');
    await broker.close();
  });

  it('an open subscription is told, and goes on with the new one from its start', async () => {
    const log = new MemoryEventLog();
    const { broker } = brokerWithToken({ log });
    const subscription = await broker.subscribe({ topics: ['Job'], token: 's' });
    for (let i = 0; i < 3; i++) await broker.publish(job('old'));
    await new Promise(setImmediate);
    expect(drain(subscription).indexes).toEqual([1, 2, 3]);
    const before = broker.epoch;
    log.recreate();
    for (let i = 0; i < 2; i++) await broker.publish(job('new'));
    await new Promise(setImmediate);
    expect(broker.epoch).not.toBe(before);
    const [first, second] = [(await subscription.next()).value, (await subscription.next()).value];
    expect([first?.index, second?.index]).toEqual([1, 2]);
    expect(first?.gap).toMatchObject({ from: 4, reason: 'restarted', epoch: broker.epoch });
    await broker.close();
  });
});

describe('broker.close()', () => {
  it('ends a stream that was revoked and is still being handed its backlog', async () => {
    const clock = new VirtualClock();
    const { broker, revoke } = brokerWithToken({ clock });
    for (let i = 0; i < 300; i++) await broker.publish({ ...job('x'.repeat(2000)) });
    const subscription = await broker.subscribe({ topics: ['Job'], token: 's', index: 1 });
    const written: string[] = [];
    let isEnded = false;
    const sink = {
      write: (bytes: Uint8Array) => written.push(Buffer.from(bytes).toString()) > 0,
      end: (last?: Uint8Array) => {
        isEnded = true;
        written.push(Buffer.from(last ?? []).toString());
      },
    };
    subscription.deliverTo(sink, ndjsonFormat, { heartbeatMs: 0 });
    await revoke();
    for (let i = 0; i < 20; i++) await null;
    await broker.close();
    await clock.settle();
    expect(subscription.state).toBe('closed');
    expect(isEnded).toBe(true);
    expect(written.join('').trimEnd().split('\n').at(-1)).toContain('"Error"');
  });

  it('leaves no stream of bytes open, whatever state it is in', async () => {
    const clock = new VirtualClock();
    const { broker } = brokerWithToken({ clock });
    for (let i = 0; i < 50; i++) await broker.publish(job('x'.repeat(2000)));
    const blocked = ndjsonStream(await broker.subscribe({ topics: ['Job'], token: 's' }), { highWaterMarkBytes: 1 });
    const idle = ndjsonStream(await broker.subscribe({ topics: ['Job'], token: 's', index: 'latest' }));
    const fresh = ndjsonStream(await broker.subscribe({ topics: ['Job'], token: 's' }));
    await broker.close();
    for (const stream of [blocked, idle, fresh]) {
      const text = Buffer.concat((await stream.toArray()) as Buffer[]).toString();
      expect(text).toMatch(/"Code":"closed".*\n$/);
    }
    expect(clock.timers).toBe(0);
  });
});
