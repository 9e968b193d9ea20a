import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  Acl,
  AclResolver,
  defineTopics,
  EventBroker,
  MemoryAclStore,
  payloadOf,
  type EventBatch,
  type Subscription,
} from '../../src/index.ts';
import { eventStreamHandler } from '../../src/adapters/http.ts';
import { streamEvents } from '../../src/client/index.ts';
import { FaultyEventLog, MemoryEventLog, VirtualClock } from '../../src/testing/index.ts';

interface Order {
  readonly total: number;
  readonly owner?: string;
}

const topics = defineTopics({
  Order: {
    payload: payloadOf<Order>(),
    requires: 'anyone',
    retain: 'latest',
    removedBy: ['OrderClosed'],
  },
  Ticket: {
    payload: payloadOf<{ open: boolean; owner: string }>(),
    requires: 'anyone',
    visible: ({ user }: { user: string }, { payload }) => payload.owner === user,
    retain: 'latest',
    removedBy: ({ payload }) => !payload.open,
  },
  Log: { requires: 'anyone' },
});

type Broker = EventBroker<(typeof topics)['payloads'], 'Order' | 'Ticket' | 'Log'>;

const order = (key: string, total: number, filterKeys: string[] = []) =>
  ({ topic: 'Order', type: 'OrderPlaced', key, namespace: 'default', filterKeys, payload: { total } }) as const;
const closed = (key: string, filterKeys: string[] = []) =>
  ({ topic: 'Order', type: 'OrderClosed', key, namespace: 'default', filterKeys, payload: { total: 0 } }) as const;
const ticket = (key: string, owner: string, open = true) =>
  ({ topic: 'Ticket', type: 'Changed', key, namespace: 'default', payload: { owner, open } }) as const;

/** What waits, in short: `index: keys -removed`, with what else a batch says. */
function pollAll(subscription: Pick<Subscription, 'poll'>): string[] {
  const texts: string[] = [];
  for (let batch = subscription.poll(); batch !== undefined; batch = subscription.poll()) texts.push(textOf(batch));
  return texts;
}

function textOf({ index, events, removed = [], current, gap }: EventBatch): string {
  const keys = events.map(({ key }) => key).join(' ');
  const gone = removed.map(({ key }) => ` -${key}`).join('');
  return `${gap ? `(${gap.reason} ${gap.from}-${gap.to}) ` : ''}${index}: ${keys}${gone}${current ? 'current' : ''}`;
}

const poll = (subscription: unknown): string[] => pollAll(subscription as Subscription);

describe('a subscription to the state', () => {
  it('reads the newest event of each key, beyond the buffer, then says that it is current, then goes on', async () => {
    const broker = new EventBroker({ topics, buffer: { maxBatches: 1 } });
    for (const [key, total] of [
      ['a', 1],
      ['b', 2],
      ['a', 3],
      ['c', 4],
    ] as const)
      await broker.publish(order(key, total));
    await broker.publish(closed('c'));
    const subscription = await broker.subscribe({ topics: ['Order'], state: true });
    expect(poll(subscription)).toEqual(['2: b', '3: a', '5: current']);
    await broker.publish([order('d', 5), closed('a')]);
    expect(poll(subscription)).toEqual(['6: d a -a']);
    expect(broker.stats()).toMatchObject({ retainedKeys: 2, rememberedRemovals: 2 });
  });

  it('is current at once where nothing is retained, and only once', async () => {
    const broker = new EventBroker({ topics });
    const subscription = await broker.subscribe({ topics: ['Order'], state: true });
    expect(poll(subscription)).toEqual(['0: current']);
    await broker.publish(order('a', 1));
    expect(poll(subscription)).toEqual(['1: a']);
    expect(poll(subscription)).toEqual([]);
  });

  it('reads topics that are not retained from now on, and from an index where one is given', async () => {
    const broker = new EventBroker({ topics });
    const log = { topic: 'Log', type: 'x', key: 'l', payload: null } as const;
    await broker.publish([log, order('a', 1)]);
    const subscription = await broker.subscribe({ topics: ['Order', 'Log'], state: true });
    const resumed = await broker.subscribe({ topics: ['Order', 'Log'], state: true, index: 1 });
    await broker.publish([log, order('b', 1)]);
    expect(poll(subscription)).toEqual(['1: a', '2: l b', '2: current']);
    expect(poll(resumed)).toEqual(['1: l a', '2: l b', '2: current']);
  });

  it('spares a slow reader what was superseded, tells it no gap, and counts what it was spared', async () => {
    const broker = new EventBroker({ topics, buffer: { maxBatches: 2 } });
    const subscription = await broker.subscribe({ topics: ['Order'], state: true });
    expect(poll(subscription)).toEqual(['0: current']);
    for (let n = 1; n <= 100; n++) await broker.publish(order(`k${n % 3}`, n));
    expect(poll(subscription)).toEqual(['98: k2', '99: k0', '100: k1']);
    expect(subscription.skipped).toBe(97);
    expect(broker.stats()).toMatchObject({ skippedEvents: 97, gaps: 0 });
  });

  it('counts what a reader was spared that never catches up', async () => {
    const broker = new EventBroker({ topics });
    const subscription = await broker.subscribe({ topics: ['Order'], state: true });
    expect(poll(subscription)).toEqual(['0: current']);
    for (let n = 1; n <= 100; n++) {
      await broker.publish(order(`k${n % 3}`, n));
      if (n % 10 === 0) subscription.poll();
    }
    // Ten were handed over, and three may still come.
    expect(subscription.skipped).toBe(87);
  });

  it('costs what changed when it resumes, removals included', async () => {
    const broker = new EventBroker({ topics, buffer: { maxBatches: 1 } });
    for (let n = 1; n <= 50; n++) await broker.publish(order(`k${n}`, n));
    await broker.publish(closed('k7'));
    await broker.publish(order('k8', 80));
    const resumed = await broker.subscribe({ topics: ['Order'], state: true, index: 51, epoch: broker.epoch });
    expect(poll(resumed)).toEqual(['51: k7 -k7', '52: k8', '52: current']);
  });

  it('begins anew where a removal is remembered no more, and goes on there when that is cut off', async () => {
    const broker = new EventBroker({ topics, buffer: { maxRemovals: 1 } });
    await broker.publish([order('a', 1), order('b', 1), order('c', 1), order('d', 1)]);
    await broker.publish(order('e', 2));
    await broker.publish(closed('a'));
    await broker.publish(closed('b'));
    const subscription = await broker.subscribe({ topics: ['Order'], state: true, index: 3 });
    expect(textOf(subscription.poll() as EventBatch)).toBe('(state 1-4) 1: c d');
    const { position, epoch, mark } = subscription;
    const again = { topics: ['Order'] as const, state: true, index: position + 1, epoch };
    const resumed = await broker.subscribe({ ...again, mark: mark as string });
    expect(poll(resumed)).toEqual(['2: e', '4: current']);
    // Who does not say where its reading began may hold what was removed before.
    expect(poll(await broker.subscribe(again))).toEqual(['(state 1-4) 1: c d', '2: e', '4: current']);
  });

  it('tells who asks for the state that keys were forgotten past a bound', async () => {
    const broker = new EventBroker({ topics, buffer: { maxRetainedKeys: 2 } });
    for (const key of ['a', 'b', 'c']) await broker.publish(order(key, 1));
    const subscription = await broker.subscribe({ topics: ['Order'], state: true });
    expect(poll(subscription)).toEqual(['(trimmed 1-1) 2: b', '3: c', '3: current']);
    expect(broker.state({ topics: ['Order'] }).gap).toEqual({ from: 1, to: 1, reason: 'trimmed' });
    const refused = broker.subscribe({ topics: ['Order'], state: true, index: 1, onGap: 'fail' });
    await expect(refused).rejects.toMatchObject({ code: 'gap', gap: { reason: 'state' } });
  });

  it('bounds what it keeps in bytes', async () => {
    const broker = new EventBroker({ topics, buffer: { maxRetainedBytes: 100_000, maxBatches: 1 } });
    for (let n = 0; n < 100; n++) {
      const payload = { total: n, owner: 'x'.repeat(5000) };
      await broker.publish({ ...order(`k${n}`, n), payload });
    }
    expect(broker.stats().retainedBytes).toBeLessThanOrEqual(100_000);
    expect(broker.stats().retainedKeys).toBeGreaterThan(10);
  });

  it('tells that an object is no longer among what was asked for, and what it became to nobody', async () => {
    const broker = new EventBroker({ topics });
    await broker.publish([order('a', 1, ['red']), order('b', 1, ['blue'])]);
    const live = await broker.subscribe({ topics: ['Order:red'], state: true });
    const slow = await broker.subscribe({ topics: ['Order:red'], state: true });
    expect(poll(live)).toEqual(['1: a', '1: current']);
    expect(textOf(slow.poll() as EventBatch)).toBe('1: a');
    await broker.publish(order('a', 2, ['blue']));
    await broker.publish(order('c', 2, ['blue']));
    expect(poll(live)).toEqual(['2:  -a']);
    expect(poll(slow)).toEqual(['2:  -a', '3: current']);
  });

  it('follows a topic’s rule: what its owner gives away is no longer its own', async () => {
    const broker = new EventBroker({ topics });
    const acl = (user: string) => Acl.fromRules([], { claims: { user } });
    const [anna, bob] = await Promise.all(
      ['anna', 'bob'].map((user) => broker.subscribe({ topics: ['Ticket'], state: true, acl: acl(user) })),
    );
    expect([poll(anna), poll(bob)]).toEqual([['0: current'], ['0: current']]);
    await broker.publish([ticket('1', 'anna'), ticket('2', 'bob')]);
    await broker.publish(ticket('1', 'bob'));
    await broker.publish(ticket('2', 'bob', false));
    expect([poll(anna), poll(bob)]).toEqual([['2:  -1'], ['2: 1', '3: 2 -2']]);
  });

  it.each([
    [{ state: 'yes' }, /state must be true or false/],
    [{ state: true, index: 'latest' }, /state needs an index/],
    [{ mark: 'abc.1' }, /mark needs state/],
    [{ state: true, mark: 'not a mark' }, /mark must be one that a stream of a state gave/],
  ])('refuses %j', async (options, message) => {
    const broker = new EventBroker({ topics });
    const asked = broker.subscribe({ topics: ['Order'], ...(options as object) });
    await expect(asked).rejects.toMatchObject({
      code: 'bad_request',
      message: expect.stringMatching(message) as string,
    });
    expect(broker.stats().subscriptions).toBe(0);
  });
});

describe('removedBy', () => {
  it('that throws or answers nonsense removes nothing, and the host is told once', async () => {
    const failing = defineTopics({
      Order: { requires: 'anyone', retain: 'latest', removedBy: (() => 'yes') as unknown as () => boolean },
    });
    const broker = new EventBroker({ topics: failing });
    const told: unknown[] = [];
    broker.on('ruleFailed', (notice) => told.push(notice));
    await broker.publish([order('a', 1), order('b', 1)]);
    expect(broker.stats()).toMatchObject({ retainedKeys: 2, ruleFaults: 2 });
    expect(told).toMatchObject([
      { topic: 'Order', error: { message: expect.stringContaining('removedBy') as string } },
    ]);
  });

  it.each([
    [{ retain: 'all' }, /retain must be 'latest'/],
    [{ removedBy: ['Closed'] }, /removedBy needs retain/],
    [{ retain: 'latest', removedBy: [''] }, /removedBy must be a list of types/],
    [{ retain: 'latest', removedBy: 'Closed' }, /removedBy must be a list of types/],
  ])('is refused in %j', (definition, message) => {
    expect(() => defineTopics({ Order: definition as object })).toThrow(message);
  });
});

describe('broker.state', () => {
  it('holds what a subscriber would be handed now, frozen, with where to go on', async () => {
    const broker = new EventBroker({ topics });
    await broker.publish([order('a', 1), order('b', 1)]);
    await broker.publish([closed('a'), order('c', 2)]);
    const { index, epoch, events } = broker.state({ topics: ['Order'] });
    expect([index, epoch, events.map(({ key }) => key)]).toEqual([2, broker.epoch, ['b', 'c']]);
    expect(Object.isFrozen(events[0]?.payload)).toBe(true);
    expect(broker.position).toEqual({ index: 3, epoch });
    const subscription = await broker.subscribe({ topics: ['Order'], ...broker.position });
    await broker.publish(order('d', 3));
    expect(poll(subscription)).toEqual(['3: d']);
  });

  it('takes rights where the broker has some, and shows no more than they do', async () => {
    const guarded = defineTopics({ Order: { requires: { namespace: 'read-orders' }, retain: 'latest' } });
    const broker = new EventBroker({ topics: guarded, acl: new AclResolver({ store: new MemoryAclStore() }) });
    for (const namespace of ['acme', 'other']) await broker.publish({ ...order(namespace, 1), namespace });
    const acl = Acl.fromRules([{ namespace: { acme: { capabilities: ['read-orders'] } } }]);
    const keys = (options: object): string[] => broker.state(options).events.map(({ key }) => key);
    expect(keys({ acl, topics: ['Order'], scope: 'allowed' })).toEqual(['acme']);
    expect(keys({ acl: Acl.management, namespace: '*' })).toEqual(['acme', 'other']);
    expect(() => broker.state({ topics: ['Order'], namespace: 'other', acl })).toThrow('Permission denied.');
    expect(() => broker.state({ topics: ['Order'] })).toThrow(/state needs acl/);
    expect(() => broker.state({ topic: ['Order'] } as object)).toThrow(/topics/);
    const expired = Acl.fromRules([{ namespace: { acme: { capabilities: ['read-orders'] } } }], { expiresAt: 1 });
    expect(() => broker.state({ topics: ['Order'], namespace: 'acme', acl: expired })).toThrow('Permission denied.');
  });
});

describe('the state over a log', () => {
  const clock = new VirtualClock();
  const open = (log: MemoryEventLog | FaultyEventLog): Broker => new EventBroker({ topics, log, clock }) as Broker;

  /** A broker over a new log, and a reader that has read its one order. */
  async function openWithReader(log: MemoryEventLog | FaultyEventLog) {
    const broker = open(log);
    await broker.ready();
    await broker.publish(order('a', 1));
    await clock.settle();
    const reader = await broker.subscribe({ topics: ['Order'], state: true });
    expect(poll(reader)).toEqual(['1: a', '1: current']);
    return { broker, reader };
  }

  it('is read once at the start, with progress, and outlives retention and restarts', async () => {
    const log = new MemoryEventLog({ clock, retention: { maxRecords: 3 } });
    const first = open(log);
    await first.ready();
    for (let n = 1; n <= 20; n++) await first.publish(order(`k${n % 8}`, n));
    await first.publish(closed('k3'));
    await first.close();
    const second = open(log.share());
    const told: unknown[] = [];
    second.on('log', ({ progress }) => progress && told.push(progress));
    expect(() => second.state({ topics: ['Order'] })).toThrow(/broker.ready/);
    await second.ready();
    const keys = second.state({ topics: ['Order'] }).events.map(({ key, index }) => `${index} ${key}`);
    expect(keys).toEqual(['13 k5', '14 k6', '15 k7', '16 k0', '17 k1', '18 k2', '20 k4']);
    expect(told.at(-1)).toEqual({ index: 21, head: 21 });
    const subscription = await second.subscribe({ topics: ['Order'], state: true });
    expect(poll(subscription)).toHaveLength(8);
  });

  it('is what the log still holds where that pins nothing, and who asks for it is told so first', async () => {
    const log = new MemoryEventLog({ clock, retention: { maxRecords: 3 } });
    const { pinned: _, ...rest } = logWithout(log);
    const broker = new EventBroker({ topics, log: rest, clock });
    await broker.ready();
    for (let n = 1; n <= 6; n++) await broker.publish(order(`k${n}`, n));
    await broker.close();
    const { pinned: __, ...shared } = logWithout(log.share());
    const again = new EventBroker({ topics, log: shared, clock });
    await again.ready();
    const subscription = await again.subscribe({ topics: ['Order'], state: true });
    expect(poll(subscription)).toEqual(['(trimmed 1-3) 4: k4', '5: k5', '6: k6', '6: current']);
  });

  it('tells its readers of a record that nobody can read, and those that come later too', async () => {
    const log = new FaultyEventLog(new MemoryEventLog({ clock }), { clock });
    const { broker, reader } = await openWithReader(log);
    await log.poison();
    await broker.publish(order('b', 3));
    await clock.settle();
    expect(poll(reader)).toEqual(['(trimmed 2-2) 3: b']);
    expect(poll(await broker.subscribe({ topics: ['Order'], state: true }))).toEqual([
      '1: a',
      '(trimmed 2-2) 3: b',
      '3: current',
    ]);
  });

  it('begins anew for everybody when the log is another one', async () => {
    const log = new MemoryEventLog({ clock });
    const { broker, reader } = await openWithReader(log);
    log.recreate();
    await clock.settle();
    await broker.publish(order('b', 1));
    await clock.settle();
    expect(poll(reader)).toEqual(['(restarted 1-1) 1: b', '1: current']);
  });

  it('names with that gap the state that is there now: who resumes with its mark is told each removal', async () => {
    const log = new MemoryEventLog({ clock });
    const { broker } = await openWithReader(log);
    await broker.publish(order('a', 2));
    await broker.publish(order('a', 3));
    const reader = await broker.subscribe({ topics: ['Order'], state: true });
    poll(reader);
    log.recreate();
    await clock.settle();
    await broker.publish(order('b', 1));
    await clock.settle();
    const first = reader.poll();
    expect(first).toMatchObject({ index: 1, gap: { reason: 'restarted', mark: expect.any(String) as string } });
    expect(first?.gap?.mark).toBe(reader.mark);
    const { resumeAt } = reader;
    reader.close();
    await broker.publish({ ...order('b', 2), type: 'OrderClosed' });
    const next = await broker.subscribe({
      topics: ['Order'],
      state: true,
      ...resumeAt,
      mark: String(first?.gap?.mark),
    });
    expect(poll(next)).toEqual(['2: b -b', '2: current']);
  });

  it('refuses a key that the log cannot pin, and publishes nothing', async () => {
    const broker = open(new MemoryEventLog({ clock }));
    await broker.ready();
    const published = broker.publish(order('k'.repeat(2000), 1));
    await expect(published).rejects.toMatchObject({ code: 'bad_request' });
    expect(broker.stats()).toMatchObject({ latestIndex: 0, retainedKeys: 0 });
  });
});

const logWithout = (log: MemoryEventLog) => ({
  capabilities: { ...log.capabilities, pins: false },
  state: () => log.state(),
  append: log.append.bind(log),
  read: log.read.bind(log),
  tail: log.tail.bind(log),
  close: () => log.close(),
  pinned: undefined,
});

describe('the state over HTTP', () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  async function serve(broker: Broker): Promise<string> {
    server = createServer(eventStreamHandler({ broker, heartbeatMs: 15_000 })).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  async function readUntil(url: string, end: RegExp, headers = {}): Promise<string> {
    const abort = new AbortController();
    const response = await fetch(url, { headers, signal: abort.signal });
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk as Uint8Array).toString();
      if (end.test(text)) break;
    }
    abort.abort();
    return text;
  }

  async function brokerWithOrders(): Promise<Broker> {
    const broker = new EventBroker({ topics }) as Broker;
    await broker.publish([order('a', 1), order('b', 1)]);
    await broker.publish(closed('a'));
    return broker;
  }

  it('is ndjson lines, then {"Current":…}, with the mark in the first heartbeat', async () => {
    const url = await serve(await brokerWithOrders());
    const text = await readUntil(`${url}?topic=Order&state=true&bookmarks=true`, /"Current"/);
    const [greeting, line, current] = text
      .trim()
      .split('\n')
      .map((one) => JSON.parse(one) as Record<string, unknown>);
    expect(greeting).toMatchObject({
      Index: 0,
      HeartbeatMs: 15_000,
      Mark: expect.stringMatching(/^\w+\.2$/) as string,
    });
    expect(line).toMatchObject({ Index: 1, Events: [{ Key: 'b' }] });
    expect(current).toEqual({ Current: { Index: 2 }, Events: [] });
    const resumed = await readUntil(`${url}?topic=Order&state=true&index=2`, /"Current"/);
    expect(resumed).toContain('"Removed":[{"Topic":"Order","Namespace":"default","Key":"a"}]');
  });

  it('is server-sent events, with the event `current`, whose id is a place to resume from', async () => {
    const broker = await brokerWithOrders();
    const url = await serve(broker);
    const accept = { Accept: 'text/event-stream' };
    const text = await readUntil(`${url}?topic=Order&state=true`, /event: current/, accept);
    expect(text).toContain(`id: ${broker.epoch}:2\nevent: current\ndata: {"Index":2}\n\n`);
    await broker.publish(order('c', 3));
    const resumed = await readUntil(`${url}?topic=Order&state=true`, /event: current/, {
      ...accept,
      'Last-Event-ID': `${broker.epoch}:2`,
    });
    expect(resumed).not.toContain('"Key":"b"');
    expect(resumed).toContain('"Key":"c"');
  });

  it('names the view in the ids where rights decide: other rights are told as a state that begins anew', async () => {
    const broker = await brokerWithOrders();
    let user = 'anna';
    const acl = () => Acl.fromRules([], { claims: { user } });
    server = createServer(eventStreamHandler({ broker, acl })).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/?topic=Ticket&state=true`;
    const accept = { Accept: 'text/event-stream' };
    await broker.publish([ticket('1', 'anna'), ticket('2', 'bob')]);
    const text = await readUntil(url, /event: current/, accept);
    const id = /id: (.*)\nevent: current/.exec(text)?.[1] as string;
    expect(id).toMatch(new RegExp(`^${broker.epoch}/[0-9a-z]+:3$`));
    const same = await readUntil(url, /event: current/, { ...accept, 'Last-Event-ID': id });
    expect(same).not.toContain('event: gap');
    user = 'bob';
    const other = await readUntil(url, /event: current/, { ...accept, 'Last-Event-ID': id });
    expect(other).toContain('event: gap\ndata: {"From":1,"To":3,"Reason":"state"');
    expect(other).toContain('"Key":"2"');
  });

  it.each([
    ['state=1', 'Parameter state must be false or true'],
    ['state=true&index=latest', 'state needs an index'],
    ['state=true&mark=!', 'mark must be one that a stream of a state gave'],
  ])('answers ?%s with 400', async (query, message) => {
    const response = await fetch(`${await serve(await brokerWithOrders())}?topic=Order&${query}`);
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining(message) as string]);
  });

  it('is read by the client: batches, `removed`, `current`', async () => {
    const broker = await brokerWithOrders();
    const stream = streamEvents<typeof topics>(await serve(broker), { topics: ['Order'], state: true });
    expect(textOf((await stream.next()).value as EventBatch)).toBe('1: b');
    expect(textOf((await stream.next()).value as EventBatch)).toBe('2: current');
    await broker.publish(closed('b'));
    expect(textOf((await stream.next()).value as EventBatch)).toBe('3: b -b');
    const place = stream.position;
    stream.close();
    await broker.publish(order('c', 1));
    const next = streamEvents(await serve(broker), { topics: ['Order'], state: true, ...place });
    expect(textOf((await next.next()).value as EventBatch)).toBe('4: c');
    next.close();
  });

  it('of the host’s own database: the snapshot first, and again after a gap', async () => {
    const broker = new EventBroker({ topics, buffer: { maxBatches: 2 } }) as Broker;
    const database: string[] = [];
    const write = async (key: string): Promise<void> => {
      database.push(key);
      await broker.publish(order(key, 1));
    };
    await write('a');
    const url = await serve(broker);
    let asked = 0;
    const snapshot = () => {
      asked++;
      return { ...broker.position, value: [...database] };
    };
    const stream = streamEvents(url, { topics: ['Order'], snapshot, minDelayMs: 1 });
    const next = async () => (await stream.next()).value;
    expect(await next()).toEqual({ index: 1, events: [], snapshot: ['a'] });
    await write('b');
    expect(textOf((await next()) as EventBatch)).toBe('2: b');
    // Cut off, and away for longer than the buffer reaches.
    server?.closeAllConnections();
    for (const key of ['c', 'd', 'e', 'f']) await write(key);
    const anew = await next();
    expect(anew).toMatchObject({ snapshot: ['a', 'b', 'c', 'd', 'e', 'f'], gap: { reason: 'trimmed' } });
    expect(asked).toBe(2);
    await write('g');
    expect(textOf((await next()) as EventBatch)).toBe('7: g');
    stream.close();
  });

  it('asks a snapshot that fails again, and takes no answer without an index', async () => {
    const broker = await brokerWithOrders();
    const answers = [
      () => Promise.reject(new Error('no')),
      () => ({ value: 1 }),
      () => ({ value: 2, ...broker.position }),
    ];
    const reasons: unknown[] = [];
    const stream = streamEvents(await serve(broker), {
      topics: ['Order'],
      minDelayMs: 1,
      snapshot: () => (answers.shift() as () => { value: number; index: number })(),
      onState: (state) => state.name === 'waiting' && reasons.push(state.reason.code),
    });
    expect((await stream.next()).value).toMatchObject({ snapshot: 2 });
    expect(reasons).toEqual(['snapshot_failed', 'snapshot_failed']);
    stream.close();
  });
});
