import { describe, expect, it } from 'vitest';
import {
  Acl,
  AclResolver,
  type BrokerError,
  defineTopics,
  EventBroker,
  MemoryAclStore,
  type StateOptions,
} from 'fenceline';
import { MemoryEventLog, VirtualClock } from '../../../src/testing/index.ts';
import { logAround } from '../../logs/log-around.ts';

const topics = defineTopics({
  Order: { requires: { namespace: 'read-orders' }, retain: 'latest', removedBy: ['Closed'] },
  Mine: {
    requires: 'anyone',
    retain: 'latest',
    visible: ({ user }: { user: string }, { payload }) => (payload as { owner: string }).owner === user,
  },
  Log: { requires: 'anyone' },
});
const event = (topic: 'Order' | 'Mine' | 'Log', key: string, type = 'Placed', owner = '') => ({
  topic,
  type,
  key,
  namespace: 'default',
  payload: { owner },
});
const inDefault = [{ namespace: { default: { capabilities: ['read-orders'] } } }];

function failure(call: () => unknown): { code?: string; name: string; message: string; cause?: unknown } {
  try {
    call();
  } catch (error) {
    return error as BrokerError;
  }
  throw new Error('It was answered.');
}

const keysOf = (broker: EventBroker, options: StateOptions) =>
  broker.state(options).events.map(({ index, key }) => `${index} ${key}`);

async function brokerWith(...events: readonly ReturnType<typeof event>[]): Promise<EventBroker> {
  const broker = new EventBroker({ topics }) as unknown as EventBroker;
  for (const one of events) await broker.publish(one);
  return broker;
}

describe('a snapshot of the state', () => {
  it('holds the newest event of each key, of what is retained, without what was removed', async () => {
    const broker = await brokerWith(event('Order', 'a'), event('Log', 'x'), event('Order', 'b'), event('Order', 'a'));
    await broker.publish([event('Order', 'c'), event('Log', 'y'), event('Order', 'd')]);
    await broker.publish(event('Order', 'b', 'Closed'));
    const { index, epoch, events, gap } = broker.state();
    expect(events.map((one) => `${one.index} ${one.key}`)).toEqual(['4 a', '5 c', '5 d']);
    expect([index, epoch, gap]).toEqual([6, broker.epoch, undefined]);
    expect(Object.isFrozen(broker.state()) && Object.isFrozen(events)).toBe(true);
    expect(keysOf(broker, { topics: ['Order:c'] })).toEqual(['5 c']);
    expect(keysOf(broker, { topics: ['Log'] })).toEqual([]);
    expect('gap' in broker.state()).toBe(false);
  });

  it('passes a record that nobody can read, and goes on behind it', async () => {
    const log = new MemoryEventLog();
    const broker = new EventBroker({ topics, log: logAround(log, {}) });
    await broker.ready();
    await broker.publish(event('Order', 'a'));
    await log.append(new TextEncoder().encode('not ours\n'), { kind: 'events' });
    await broker.publish(event('Order', 'b'));
    for (let i = 0; i < 500 && broker.stats().latestIndex < 3; i++) await new Promise(setImmediate);
    expect(broker.state({ topics: ['Order'] }).events.map(({ key }) => key)).toEqual(['a', 'b']);
    await broker.close();
  });

  it('is what its rights show, event by event where a rule decides', async () => {
    const mine = [event('Mine', '1', 'x', 'anna'), event('Mine', '2', 'x', 'bob'), event('Order', 'a')];
    const broker = await brokerWith(...mine);
    const acl = Acl.fromRules([], { claims: { user: 'anna' } });
    expect(keysOf(broker, { acl, topics: ['Mine'] })).toEqual(['1 1']);
    expect(keysOf(broker, { acl, scope: 'allowed' })).toEqual(['1 1']);
    expect(keysOf(broker, {})).toEqual(['1 1', '2 2', '3 a']);
    const error = failure(() => broker.state({ acl, topics: ['Order'] }));
    expect(error).toMatchObject({ code: 'permission_denied', cause: { reason: 'insufficient' } });
  });

  it('needs rights where the broker has ACLs, and takes nothing else for some', () => {
    const guarded = new EventBroker({ topics, acl: new AclResolver({ store: new MemoryAclStore() }) });
    const open = new EventBroker({ topics });
    for (const acl of [undefined, null, {}, 'management', { meets: true }])
      expect(
        failure(() => guarded.state({ acl: acl as never })),
        String(acl),
      ).toMatchObject({
        name: 'TypeError',
        message: expect.stringContaining('state needs acl: an Acl') as unknown,
      });
    expect(failure(() => open.state({ acl: null as never })).name).toBe('TypeError');
    expect(open.state({}).events).toEqual([]);
    expect(guarded.state({ acl: Acl.management }).events).toEqual([]);
  });

  it('is denied at the very millisecond in which the rights end', () => {
    const clock = new VirtualClock();
    const broker = new EventBroker({ topics, clock });
    const until = (expiresAt: number) => Acl.fromRules(inDefault, { accessorId: 'a', expiresAt });
    expect(broker.state({ topics: ['Order'], acl: until(clock.now() + 1) }).events).toEqual([]);
    const error = failure(() => broker.state({ topics: ['Order'], acl: until(clock.now()) }));
    expect(error).toMatchObject({ code: 'permission_denied', cause: { reason: 'insufficient', accessorId: 'a' } });
  });

  it.each([
    [{ topic: ['Order'] }, 'state has no option "topic"'],
    [{ index: 1 }, 'state has no option "index"'],
    ['Order', 'state takes an object of options; got "Order".'],
  ])('is not had with %j', async (options, message) => {
    const error = failure(() => new EventBroker({ topics }).state(options as never));
    expect([error.name, error.message.slice(0, message.length)]).toEqual(['TypeError', message]);
  });

  it('is not there before what a log holds was read, nor after the end', async () => {
    const broker = new EventBroker({ topics, log: new MemoryEventLog() });
    expect(failure(() => broker.state())).toMatchObject({ code: 'log_unavailable' });
    await broker.ready();
    expect(broker.state().events).toEqual([]);
    await broker.close();
    expect(failure(() => broker.state())).toMatchObject({ code: 'closed' });
  });

  it('says what was forgotten past the bounds, where such a reader could have seen it', async () => {
    const broker = new EventBroker({ topics, buffer: { maxRetainedKeys: 1 } }) as unknown as EventBroker;
    for (const key of ['a', 'b']) await broker.publish(event('Order', key));
    expect(broker.state({ topics: ['Order'] }).gap).toEqual({ from: 1, to: 1, reason: 'trimmed' });
    expect(broker.state({ topics: ['Mine'] }).gap).toBeUndefined();
  });
});
