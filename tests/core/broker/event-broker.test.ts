import { describe, expect, it, onTestFinished } from 'vitest';

import {
  Acl,
  EventBroker,
  type AclSource,
  type EventBrokerOptions,
  type UnreadablePolicy,
} from '../../../src/index.ts';
import { VirtualClock } from '../../../src/testing/index.ts';
import { drain } from '../../conformance/reading.ts';
import { RecordingSink, shortFormat } from '../delivery/recording-sink.ts';

const event = (key: string) => ({ topic: 'Job', type: 'Made', key, payload: null });

function makeBroker(options: EventBrokerOptions = {}) {
  const clock = new VirtualClock();
  const broker = new EventBroker({ clock, ...options });
  onTestFinished(() => broker.close());
  return { clock, broker };
}

describe('the statistics of a broker', () => {
  it('name the oldest index that is held: of the first batch that was not trimmed; 0 before there is one', async () => {
    const { broker } = makeBroker({ buffer: { maxBatches: 2 } });
    expect(broker.stats()).toMatchObject({ oldestIndex: 0, latestIndex: 0 });
    for (const key of ['a', 'b', 'c']) await broker.publish(event(key));
    expect(broker.stats()).toMatchObject({ oldestIndex: 2, latestIndex: 3 });
  });
});

describe('a source of rights that tells of policies which it cannot read', () => {
  it('is passed on to the host, until the broker is closed', async () => {
    const listeners = new Set<(notice: UnreadablePolicy) => void>();
    const acl: AclSource = {
      resolve: () => Promise.resolve(Acl.management),
      onUnreadable: (tell) => {
        listeners.add(tell);
        return () => void listeners.delete(tell);
      },
    };
    const { broker } = makeBroker({ acl });
    const told: unknown[] = [];
    broker.on('unreadablePolicy', (notice) => told.push(notice));
    const notice = { policy: 'p', error: new Error('no rules') } as unknown as UnreadablePolicy;
    for (const tell of listeners) tell(notice);
    expect(told).toEqual([notice]);
    await broker.close();
    expect(listeners.size).toBe(0);
  });
});

describe('close', () => {
  it('ends what is open before it returns, where nothing is under way', async () => {
    const { broker } = makeBroker();
    const subscription = await broker.subscribe();
    const closing = broker.close();
    expect([subscription.state, subscription.error?.code]).toEqual(['closed', 'closed']);
    await closing;
  });
});

describe('news of ACLs from within what a step calls', () => {
  it('come after what was published there before them', async () => {
    let isDenied = false;
    const acl: AclSource = {
      resolve: (token) =>
        Promise.resolve(Acl.fromRules([], { management: !isDenied, dependsOn: [`policy:${token}`] } as object)),
    };
    const { clock, broker } = makeBroker({ acl });
    const reader = await broker.subscribe({ token: 'reader' });
    const acting = await broker.subscribe({ token: 'acting' });
    const asked: Promise<unknown>[] = [];
    const sink = new (class extends RecordingSink {
      override write(chunk: Uint8Array): boolean {
        if (asked.length === 0) {
          isDenied = true;
          asked.push(broker.publish(event('b')), broker.aclChanged({ policy: 'reader' }), broker.publish(event('c')));
        }
        return super.write(chunk);
      }
    })();
    acting.deliverTo(sink, shortFormat, { heartbeatMs: 0 });
    await clock.settle();
    await broker.publish(event('a'));
    await clock.settle();
    expect(await Promise.all(asked)).toEqual([2, undefined, 3]);
    await clock.settle();
    expect(drain(reader)).toMatchObject({ indexes: [1, 2], error: { code: 'acl_revoked' } });
  });
});
