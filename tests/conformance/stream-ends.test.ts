// Whatever ends a stream is counted by its reason: each code either ends a stream here, or is said to end none.
import { describe, expect, it } from 'vitest';
import { Acl, errorCodes, EventBroker, type BrokerErrorCode, type StreamEnd } from 'fenceline';
import { ndjsonFormat } from 'fenceline/ndjson';
import { MemoryEventLog, VirtualClock } from 'fenceline/testing';
import { AclWorld, readIn } from './acl-world.ts';
import { drain } from './reading.ts';

const event = { topic: 'Job', type: 'Made', key: 'a', payload: 'x'.repeat(100) };

/** Opens one stream, and ends it for this reason. */
type Ending = () => Promise<Pick<EventBroker, 'stats'>>;

async function worldWithReader(expiresInMs?: number): Promise<AclWorld> {
  const world = new AclWorld();
  world.policy('p', readIn('default'));
  world.token('t', { policies: ['p'], ...(expiresInMs === undefined ? {} : { expiresInMs }) });
  await world.subscribe('t');
  return world;
}

const endings: Readonly<Partial<Record<StreamEnd, Ending>>> = {
  none: async () => {
    const broker = new EventBroker();
    (await broker.subscribe()).close();
    return broker;
  },
  closed: async () => {
    const broker = new EventBroker();
    await broker.subscribe();
    await broker.close();
    return broker;
  },
  gap: async () => {
    const log = new MemoryEventLog({ retention: { maxRecords: 1 } });
    const broker = new EventBroker({ log, buffer: { maxBatches: 1 } });
    const subscription = await broker.subscribe({ onGap: 'fail' });
    for (let i = 0; i < 3; i++) await broker.publish(event);
    // It asks the log, and hears that what comes next is no longer there.
    while (subscription.state !== 'closed') {
      drain(subscription);
      await new Promise(setImmediate);
    }
    return broker;
  },
  slow: async () => {
    const broker = new EventBroker({ buffer: { maxBatches: 1 } });
    const subscription = await broker.subscribe({ onGap: 'fail' });
    for (let i = 0; i < 3; i++) await broker.publish(event);
    drain(subscription);
    return broker;
  },
  restarted: async () => {
    const log = new MemoryEventLog();
    const broker = new EventBroker({ log });
    const subscription = await broker.subscribe({ onGap: 'fail' });
    await broker.publish(event);
    log.recreate();
    while (subscription.state !== 'closed') await new Promise(setImmediate);
    return broker;
  },
  acl_revoked: async () => {
    const world = await worldWithReader();
    world.records.deleteToken('t');
    await world.tokenChanged('t');
    await world.clock.settle();
    return world.broker;
  },
  acl_expired: async () => {
    const world = await worldWithReader(1000);
    await world.clock.advance(1001);
    return world.broker;
  },
  acl_unavailable: async () => {
    const world = await worldWithReader();
    world.store.failWith(new Error('The database is down.'));
    await world.tokenChanged('t');
    await world.clock.settle();
    return world.broker;
  },
  rotate: async () => {
    const clock = new VirtualClock();
    const broker = new EventBroker({ clock, maxStreamMs: 1000 });
    (await broker.subscribe()).deliverTo({ write: () => true, end: () => undefined }, ndjsonFormat);
    await clock.advance(1101);
    return broker;
  },
  internal: async () => {
    const clock = new VirtualClock();
    const broker = new EventBroker({ clock });
    const write = (): boolean => {
      throw new Error('of a stranger');
    };
    (await broker.subscribe()).deliverTo({ write, end: () => undefined }, ndjsonFormat);
    return broker;
  },
};

/** These refuse a request or a publish, and end no stream that is open. */
const refusals: readonly BrokerErrorCode[] = [
  'bad_request',
  'permission_denied',
  'method_not_allowed',
  'at_capacity',
  'log_unavailable',
  'index_conflict',
  'unpublished',
  'not_supported',
];

describe('the end of a stream', () => {
  it.each(Object.entries(endings))('%s is counted', async (code, end) => {
    const broker = await end();
    expect(broker.stats()).toMatchObject({ subscriptions: 0, ended: { [code]: 1 } });
    expect(Object.keys(broker.stats().ended)).toEqual([code]);
  });

  it('is one of these, or the code ends no stream', () => {
    const known = [...Object.keys(endings).filter((code) => code !== 'none'), ...refusals];
    expect(known.toSorted()).toEqual(Object.keys(errorCodes).toSorted());
  });

  it('is counted once, however it is told', async () => {
    const clock = new VirtualClock();
    const broker = new EventBroker({ clock, stalledMs: 1000 });
    const subscription = await broker.subscribe({ acl: Acl.management });
    subscription.deliverTo({ write: () => false, end: () => undefined }, ndjsonFormat);
    await clock.advance(3000);
    subscription.close();
    await broker.close();
    expect(broker.stats().ended).toEqual({ slow: 1 });
  });

  it('is in a snapshot: later ends do not change it', async () => {
    const broker = new EventBroker();
    const before = broker.stats();
    (await broker.subscribe()).close();
    expect([before.ended, broker.stats().ended]).toEqual([{}, { none: 1 }]);
  });
});
