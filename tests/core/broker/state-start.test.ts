import { describe, expect, it } from 'vitest';
import { Acl, defineTopics, EventBroker, type EventBatch, type SubscribeOptions, type Subscription } from 'fenceline';
import { MemoryEventLog } from 'fenceline/testing';

const topics = defineTopics({
  Order: { requires: 'anyone', retain: 'latest', removedBy: ['Closed'] },
  /** The same orders, but only when one is paid. */
  Paid: { requires: 'anyone', aliasOf: 'Order', types: ['Paid'] },
  Ticket: {
    requires: 'anyone',
    retain: 'latest',
    visible: ({ user }: { user: string }, { payload }) => (payload as { owner: string }).owner === user,
  },
  Log: { requires: 'anyone' },
});

const event = (type: string, topic: string, key: string, filterKeys: readonly string[] = [], owner = '') => ({
  topic,
  type,
  key,
  namespace: 'default',
  filterKeys,
  payload: { owner },
});
const order = (key: string, filterKeys: readonly string[] = []) => event('Placed', 'Order', key, filterKeys);
const paid = (key: string) => event('Paid', 'Order', key);
const closed = (key: string) => event('Closed', 'Order', key);
const ticket = (key: string, owner: string) => event('Changed', 'Ticket', key, [], owner);
const log = (key: string) => event('x', 'Log', key);

type Published = ReturnType<typeof event>;

/** A broker that has published these, each as a batch of its own. */
async function brokerWith(published: readonly Published[], options: object = {}): Promise<EventBroker> {
  const broker = new EventBroker({ topics, ...options }) as unknown as EventBroker;
  await broker.ready();
  for (const one of published) await broker.publish(one);
  return broker;
}

/** What a subscription to the state reads, in short: `(gap) index: keys -removed`. */
async function read(broker: EventBroker, options: SubscribeOptions): Promise<string[]> {
  const subscription = await broker.subscribe({ topics: ['Order'], state: true, ...options });
  const texts = poll(subscription);
  subscription.close();
  return texts;
}

function poll(subscription: Subscription): string[] {
  const texts: string[] = [];
  for (let batch = subscription.poll(); batch; batch = subscription.poll()) texts.push(textOf(batch));
  return texts;
}

function textOf({ index, events, removed = [], current, gap }: EventBatch): string {
  const keys = [...events.map(({ key }) => key), ...removed.map(({ key }) => `-${key}`)].join(' ');
  const missing = gap ? `(${gap.reason} ${gap.from}-${gap.to}) ` : '';
  return `${missing}${index}: ${keys}${current ? 'current' : ''}`;
}

const firstGap = async (broker: EventBroker, options: SubscribeOptions) => {
  const subscription = await broker.subscribe({ topics: ['Order'], state: true, ...options });
  return { gap: subscription.poll()?.gap, subscription };
};

describe('a state that is resumed', () => {
  it('goes on after the index that its reader knows', async () => {
    const broker = await brokerWith([order('a'), order('b'), order('a')]);
    expect(await read(broker, { index: 0 })).toEqual(['2: b', '3: a', '3: current']);
    expect(await read(broker, { index: 3 })).toEqual(['3: a', '3: current']);
    expect(await read(broker, { index: 4, epoch: broker.epoch })).toEqual(['3: current']);
    expect(await read(broker, { index: 4, onGap: 'fail' })).toEqual(['3: current']);
    expect(await read(broker, { index: 0, onGap: 'fail' })).toHaveLength(3);
  });

  it('begins anew with another epoch, and is told which one holds, and the mark', async () => {
    const broker = await brokerWith([order('a'), order('b'), closed('a')]);
    expect(await read(broker, { index: 2, epoch: 'another' })).toEqual(['(restarted 2-3) 2: b', '3: current']);
    const { gap, subscription } = await firstGap(broker, { index: 2, epoch: 'another' });
    expect(gap).toEqual({ from: 2, to: 3, reason: 'restarted', epoch: broker.epoch, mark: subscription.mark });
    expect(subscription.mark).toMatch(/^[0-9a-z]+\.3$/);
    const refused = broker.subscribe({ state: true, index: 2, epoch: 'another', onGap: 'fail' });
    await expect(refused).rejects.toMatchObject({ code: 'restarted' });
  });

  it('begins anew where the index is from another run, which has no epoch to tell', async () => {
    const broker = await brokerWith([order('a'), order('b')]);
    expect(await read(broker, { index: 3 })).toEqual(['2: current']);
    expect(await read(broker, { index: 9 })).toEqual(['(ahead 1-2) 1: a', '2: b', '2: current']);
    const { gap, subscription } = await firstGap(broker, { index: 9 });
    expect(gap).toEqual({ from: 1, to: 2, reason: 'ahead', mark: subscription.mark });
    const refused = broker.subscribe({ topics: ['Order'], state: true, index: 9, onGap: 'fail' });
    await expect(refused).rejects.toMatchObject({ code: 'restarted', gap: { reason: 'ahead' } });
  });

  it('begins anew with what is held of topics that are not retained, too', async () => {
    const broker = await brokerWith([log('x'), order('a'), log('y'), log('z')], { buffer: { maxBatches: 2 } });
    expect(await read(broker, { topics: ['Order', 'Log'], index: 9 })).toEqual([
      '(ahead 2-4) 2: a',
      '3: y',
      '4: z',
      '4: current',
    ]);
    expect(await read(broker, { topics: ['Order', 'Log'] })).toEqual(['2: a', '4: current']);
  });

  it('tells no removals that its mark says it never had, and those after them', async () => {
    const broker = await brokerWith([order('a'), order('b'), closed('a'), order('c')]);
    const { subscription } = await firstGap(broker, {});
    const mark = subscription.mark as string;
    expect(mark).toMatch(/\.3$/);
    expect(await read(broker, { index: 3 })).toEqual(['3: a -a', '4: c', '4: current']);
    expect(await read(broker, { index: 3, mark })).toEqual(['4: c', '4: current']);
    expect(await read(broker, { index: 3, mark: mark.replace(/3$/, '2') })).toEqual(['3: a -a', '4: c', '4: current']);
    await broker.publish(closed('b'));
    expect(await read(broker, { index: 3, mark })).toEqual(['4: c', '5: b -b', '5: current']);
  });

  it('begins anew where removals were forgotten after what its reader knows: the later of index and mark', async () => {
    const published = [order('a'), order('b'), order('c'), closed('a'), closed('b')];
    const broker = await brokerWith(published, { buffer: { maxRemovals: 1 } });
    const anew = ['(state 3-5) 3: c', '5: current'];
    expect(await read(broker, { index: 4 })).toEqual(anew);
    expect(await read(broker, { index: 5 })).toEqual(['5: b -b', '5: current']);
    const { subscription } = await firstGap(broker, {});
    const view = (subscription.mark as string).split('.')[0];
    expect(await read(broker, { index: 4, mark: `${view}.5` })).toEqual(['5: current']);
    expect(await read(broker, { index: 4, mark: `${view}.4` })).toEqual(['5: b -b', '5: current']);
    expect(await read(broker, { index: 4, mark: `${view}.3` })).toEqual(anew);
  });
});

describe('a state of which something else is shown by now', () => {
  it('begins anew with the mark of another view', async () => {
    const broker = await brokerWith([order('a'), order('b')]);
    const mark = 'zzz.0';
    expect(await read(broker, { index: 3, mark })).toEqual(['(state 1-2) 1: a', '2: b', '2: current']);
    const { gap, subscription } = await firstGap(broker, { index: 3, mark });
    expect(gap).toEqual({ from: 1, to: 2, reason: 'state', mark: subscription.mark });
  });

  it('needs the mark where a rule looks at events, and where rights or the host narrow what is asked for', async () => {
    const broker = await brokerWith([ticket('1', 'anna'), order('a')]);
    const acl = Acl.fromRules([], { claims: { user: 'anna' } });
    const narrowed: readonly SubscribeOptions[] = [
      { topics: ['Ticket'], acl },
      { topics: ['Order'], scope: 'allowed' },
      { topics: ['Order'], pin: () => ({ topics: ['Order'] }) },
    ];
    for (const options of narrowed) {
      expect((await read(broker, { ...options, index: 3 }))[0]).toMatch(/^\(state \d-2\)/);
      const { subscription } = await firstGap(broker, options);
      expect(await read(broker, { ...options, index: 3, mark: subscription.mark })).toEqual(['2: current']);
    }
    // What is pinned once and for all is no other for the same request.
    expect(await read(broker, { pin: { topics: ['Order'] }, index: 3 })).toEqual(['2: current']);
  });

  it('begins anew where an object may have left what is asked for, and nobody remembers which', async () => {
    const broker = await brokerWith([order('a', ['red']), order('b', ['red'])]);
    await broker.publish(order('a', ['blue']));
    expect(await read(broker, { topics: ['Order:red'], index: 3 })).toEqual(['(state 2-3) 2: b', '3: current']);
    // What left stood before what this reader knows.
    expect(await read(broker, { topics: ['Order:red'], index: 4 })).toEqual(['3: current']);
    // All of an object's events match where neither keys, nor an alias, nor a rule choose among them.
    expect(await read(broker, { topics: ['Order'], index: 3 })).toEqual(['3: a', '3: current']);
  });

  it('tells what left it where somebody with the same interest was there', async () => {
    const broker = await brokerWith([order('a', ['red']), order('b', ['red'])]);
    await broker.subscribe({ topics: ['Order:red'], state: true });
    await broker.publish(order('a', ['blue']));
    expect(await read(broker, { topics: ['Order:red'], index: 3 })).toEqual(['3: -a', '3: current']);
    // What left before that one came is not known.
    expect(await read(broker, { topics: ['Order:red'], index: 2 })).toEqual(['(state 2-3) 2: b', '3: current']);
  });

  it('begins anew for an alias too: an order that was paid is one that is not, after its next change', async () => {
    const broker = await brokerWith([paid('a'), paid('b'), order('a')]);
    expect(await read(broker, { topics: ['Paid'], index: 3 })).toEqual(['(state 2-3) 2: b', '3: current']);
    expect(await read(broker, { topics: ['Paid'], index: 4 })).toEqual(['3: current']);
    expect(await read(broker, { topics: ['Order', 'Paid'], index: 3 })).toEqual([
      '(state 2-3) 2: b',
      '3: a',
      '3: current',
    ]);
  });

  it('begins anew for an alias too where an order that it named was removed by one that it does not name', async () => {
    const broker = await brokerWith([paid('a'), paid('b'), closed('a')]);
    expect((await read(broker, { topics: ['Paid'], index: 3 }))[0]).toMatch(/^\(state /);
    expect(await read(broker, { topics: ['Paid'], index: 4 })).toEqual(['3: current']);
  });

  it('begins anew with a rule that shows an object no more', async () => {
    const broker = await brokerWith([ticket('1', 'anna'), ticket('2', 'anna')]);
    const options: SubscribeOptions = { topics: ['Ticket'], acl: Acl.fromRules([], { claims: { user: 'anna' } }) };
    const { subscription } = await firstGap(broker, options);
    const { mark } = subscription;
    subscription.close();
    await broker.publish(ticket('1', 'bob'));
    expect(await read(broker, { ...options, mark, index: 3 })).toEqual(['(state 2-3) 2: 2', '3: current']);
    expect(await read(broker, { ...options, mark, index: 4 })).toEqual(['3: current']);
  });

  it('begins anew with rights that show an object by its alias alone, looked at event by event', async () => {
    const guarded = defineTopics({
      Order: { requires: { namespace: 'read-orders' }, retain: 'latest' },
      Paid: { requires: 'anyone', aliasOf: 'Order', types: ['Paid'] },
    });
    // So few places that what is allowed cannot be asked for by name.
    const broker = await brokerWith([paid('a'), paid('b')], { topics: guarded, limits: { placesPerRequest: 1 } });
    const acl = Acl.fromRules([{ namespace: { other: { capabilities: ['read-orders'] } } }]);
    const options: SubscribeOptions = { topics: ['*'], namespace: '*', scope: 'allowed', acl };
    const { subscription } = await firstGap(broker, options);
    expect(subscription.mark).toBeDefined();
    subscription.close();
    await broker.publish(order('a'));
    const { mark } = subscription;
    expect(await read(broker, { ...options, mark, index: 3 })).toEqual(['(state 2-3) 2: b', '3: current']);
  });

  it('goes on with a rule that looks at another topic, and where nothing has a name of its own', async () => {
    const plain = defineTopics({ Order: { requires: 'anyone', retain: 'latest' } });
    const broker = await brokerWith([order('a'), order('a')], { topics: plain });
    expect(await read(broker, { topics: ['*'], index: 2 })).toEqual(['2: a', '2: current']);
    const open = new EventBroker();
    for (const key of ['a', 'b']) await open.publish(order(key));
    expect(await read(open, { topics: ['Order:a'], index: 1 })).toEqual(['1: a', '2: current']);
  });

  it('begins anew with a rule where no topic has an alias too', async () => {
    const ruled = defineTopics({
      Ticket: {
        requires: 'anyone',
        retain: 'latest',
        visible: ({ user }: { user: string }, { payload }) => (payload as { owner: string }).owner === user,
      },
    });
    const broker = await brokerWith([ticket('1', 'anna'), ticket('2', 'anna')], { topics: ruled });
    const options: SubscribeOptions = { topics: ['Ticket'], acl: Acl.fromRules([], { claims: { user: 'anna' } }) };
    const { subscription } = await firstGap(broker, options);
    subscription.close();
    await broker.publish(ticket('1', 'bob'));
    const { mark } = subscription;
    expect(await read(broker, { ...options, mark, index: 3 })).toEqual(['(state 2-3) 2: 2', '3: current']);
  });

  it('begins anew where keys were forgotten that somebody may hold of what was chosen', async () => {
    const buffer = { maxRetainedKeys: 2 };
    const broker = await brokerWith([order('a'), order('b'), order('c')], { buffer });
    expect(await read(broker, { topics: ['Order:b'], index: 3 })).toEqual(['(state 2-3) 2: b', '3: current']);
    expect(await read(broker, { topics: ['Order'], index: 2 })).toEqual(['2: b', '3: c', '3: current']);
    expect(await read(broker, { topics: ['Order'], index: 1 })).toEqual(['(state 2-3) 2: b', '3: c', '3: current']);
  });
});

describe('topics that are not retained, beside a state over a log', () => {
  const trimmedLog = async () => {
    const memory = new MemoryEventLog({ retention: { maxRecords: 2 } });
    const first = await brokerWith([log('1'), order('a'), log('3'), order('b'), order('c')], { log: memory });
    await first.close();
    const broker = new EventBroker({ topics, log: memory.share() }) as unknown as EventBroker;
    await broker.ready();
    return broker;
  };

  it('are told as missing from the index on that is resumed from, where nobody can read them', async () => {
    const broker = await trimmedLog();
    const both: SubscribeOptions = { topics: ['Order', 'Log'] };
    expect((await firstGap(broker, { ...both, index: 4 })).gap).toEqual({ from: 4, to: 5, reason: 'trimmed' });
    expect((await firstGap(broker, { ...both, index: 5 })).gap).toEqual({ from: 5, to: 5, reason: 'trimmed' });
    const refused = broker.subscribe({ ...both, state: true, index: 5, onGap: 'fail' });
    await expect(refused).rejects.toMatchObject({ code: 'gap' });
    // Of what is retained nothing is missing.
    expect((await firstGap(broker, { index: 5 })).gap).toBeUndefined();
    expect((await firstGap(broker, { ...both, index: 6 })).gap).toBeUndefined();
    await broker.close();
  });
});
