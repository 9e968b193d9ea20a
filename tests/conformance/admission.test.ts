import { afterEach, describe, expect, it } from 'vitest';
import {
  Acl,
  AclResolver,
  defineTopics,
  EventBroker,
  MemoryAclStore,
  type BrokerLimits,
  type EventBatch,
  type EventBrokerOptions,
  type NewEvent,
  type RefusalNotice,
} from 'fenceline';
import { MemoryEventLog } from 'fenceline/testing';
import { HttpEndpoint } from './http-stream.ts';
import { failureOf } from './reading.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const event = (payload: unknown = 1, key = 'a'): NewEvent => ({ topic: 'Job', type: 'Made', key, payload });
const nobody = Acl.fromRules([], { management: true });
const of = (accessorId: string): Acl => Acl.fromRules([], { accessorId, management: true });

/** A broker, and what it told of refusals. */
function limited(limits: BrokerLimits, options: EventBrokerOptions = {}) {
  const broker = new EventBroker({ ...options, limits });
  const refused: RefusalNotice[] = [];
  broker.on('refused', (notice) => refused.push(notice));
  cleanups.push(() => broker.close());
  return { broker, refused };
}

async function firstOf(broker: EventBroker): Promise<EventBatch | undefined> {
  const { value } = await (await broker.subscribe({ namespace: '*' })).next();
  return value;
}

describe('the subscriptions of one accessor', () => {
  it('are bounded; those that are open stay, others are let in, and what ends makes room', async () => {
    const { broker, refused } = limited({ subscriptionsPerToken: 2 });
    const open = [await broker.subscribe({ acl: of('alice') }), await broker.subscribe({ acl: of('alice') })];
    const error = await failureOf(() => broker.subscribe({ acl: of('alice'), topics: ['Job:a'], namespace: 'n' }));
    expect(error).toMatchObject({
      code: 'at_capacity',
      limit: 'subscriptionsPerToken',
      status: 503,
      retry: 'resume',
      message: 'All 2 subscriptions that one token may have are open.',
    });
    expect(refused).toEqual([
      { limit: 'subscriptionsPerToken', accessorId: 'alice', topics: 'Job:a', namespaces: ['n'], error },
    ]);
    await broker.subscribe({ acl: of('bob') });
    expect(open.map(({ state }) => state)).toEqual(['synced', 'synced']);
    expect(broker.stats()).toMatchObject({ subscriptions: 3, refused: { subscriptionsPerToken: 1 } });
    open[0]?.close();
    await expect(broker.subscribe({ acl: of('alice') })).resolves.toBeDefined();
    await failureOf(() => broker.subscribe({ acl: of('alice') }));
    expect(broker.stats().refused).toEqual({ subscriptionsPerToken: 2 });
  });

  it('are those of one token, however many secrets or functions they came by', async () => {
    const store = new MemoryAclStore();
    const token = { type: 'management', policies: [], roles: [] } as const;
    store.upsertToken({ ...token, accessorId: 'alice', secretId: 'hers' });
    store.upsertToken({ ...token, accessorId: 'bob', secretId: 'his' });
    const { broker } = limited({ subscriptionsPerToken: 2 }, { acl: new AclResolver({ store }) });
    await broker.subscribe({ token: 'hers' });
    await broker.subscribe({ acl: () => of('alice') });
    for (const options of [{ token: 'hers' }, { acl: of('alice') }, { acl: () => of('alice') }])
      expect(await failureOf(() => broker.subscribe(options))).toMatchObject({ limit: 'subscriptionsPerToken' });
    await expect(broker.subscribe({ token: 'his' })).resolves.toBeDefined();
  });

  it('are not counted for who has no name: all of them would be one', async () => {
    const { broker } = limited({ subscriptionsPerToken: 1 });
    for (let i = 0; i < 3; i++) await broker.subscribe();
    for (let i = 0; i < 3; i++) await broker.subscribe({ acl: nobody });
    expect(broker.stats()).toMatchObject({ subscriptions: 6, refused: {} });
  });

  it('are counted to the end of each, by whoever ends it', async () => {
    const { broker } = limited({ subscriptionsPerToken: 1 });
    for (const end of ['close', 'abort', 'revoke'] as const) {
      const controller = new AbortController();
      const subscription = await broker.subscribe({ acl: of('alice'), signal: controller.signal });
      if (end === 'close') subscription.close();
      if (end === 'abort') controller.abort();
      if (end === 'revoke') await broker.aclChanged({ token: 'alice' });
      await new Promise(setImmediate);
    }
    await expect(broker.subscribe({ acl: of('alice') })).resolves.toBeDefined();
  });

  it('have a limit that leaves room for a hundred tokens at theirs', async () => {
    const { broker } = limited({ subscriptions: 2000 });
    for (let i = 0; i < 1000; i++) await broker.subscribe({ acl: of('alice') });
    expect(await failureOf(() => broker.subscribe({ acl: of('alice') }))).toMatchObject({
      limit: 'subscriptionsPerToken',
    });
  });
});

describe('all subscriptions together', () => {
  it('are bounded; over HTTP who comes last is asked to wait, and the open streams go on', async () => {
    const { broker, refused } = limited({ subscriptions: 2 });
    const endpoint = await HttpEndpoint.serve({ broker });
    cleanups.push(() => endpoint.close());
    const streams = [await endpoint.open('topic=Job'), await endpoint.open()];
    const waits = new Set<string | undefined>();
    for (let i = 0; i < 40; i++) {
      const answer = await endpoint.open();
      expect(answer.status).toBe(503);
      expect(JSON.parse((await answer.text()) ?? '')).toEqual({
        Error: { Code: 'at_capacity', Message: 'All 2 subscriptions are open.', Retry: 'resume' },
      });
      waits.add(answer.headers['retry-after']);
    }
    // A third of the answers each: that forty miss one of the three happens once in ten million runs.
    expect([...waits].toSorted()).toEqual(['1', '2', '3']);
    expect(refused.map(({ limit }) => limit)).toEqual(Array.from({ length: 40 }, () => 'subscriptions'));
    await broker.publish(event());
    for (const stream of streams) {
      expect(await stream.text()).toBe('{}');
      expect(await stream.text()).toContain('"Index":1,');
    }
  });

  it('are bounded by maxSubscriptions too, where limits do not say', async () => {
    const { broker } = limited({}, { maxSubscriptions: 1 });
    await broker.subscribe();
    expect(await failureOf(() => broker.subscribe())).toMatchObject({ limit: 'subscriptions' });
  });
});

describe('the topics of a request', () => {
  it('are bounded before its rights are looked at; what is said twice counts once', async () => {
    let looks = 0;
    const { broker, refused } = limited({ topicsPerRequest: 2 }, { acl: { resolve: () => (looks++, Acl.management) } });
    expect(await failureOf(() => broker.subscribe({ topics: ['Job:a', 'Job:b', 'Node'] }))).toMatchObject({
      code: 'bad_request',
      limit: 'topicsPerRequest',
      message: 'A subscription may ask for at most 2 topics with their keys, not 3.',
    });
    expect(looks).toBe(0);
    expect(refused).toMatchObject([{ limit: 'topicsPerRequest', accessorId: undefined, topics: '', namespaces: [] }]);
    await expect(broker.subscribe({ topics: ['Job:a', 'Node', 'Job:a', 'Node:x'] })).resolves.toBeDefined();
    expect(broker.stats().refused).toEqual({ topicsPerRequest: 1 });
  });

  it('are refused over HTTP with a 400 that names the limit', async () => {
    const { broker } = limited({ topicsPerRequest: 1 });
    const endpoint = await HttpEndpoint.serve({ broker });
    cleanups.push(() => endpoint.close());
    const answer = await endpoint.open('topic=A&topic=B');
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('at most 1 topics');
  });
});

describe('places', () => {
  it('are told and counted where they are refused', async () => {
    const { broker, refused } = limited({ placesPerRequest: 2, placesInAll: 2 });
    await failureOf(() => broker.subscribe({ topics: ['A', 'B', 'C'] }));
    await broker.subscribe({ topics: ['A', 'B'], namespace: '*' });
    expect(await failureOf(() => broker.subscribe({ topics: ['C'], namespace: '*' }))).toMatchObject({
      code: 'at_capacity',
      limit: 'placesInAll',
    });
    expect(refused.map(({ limit, topics }) => `${limit} ${topics}`)).toEqual(['placesPerRequest ', 'placesInAll C:*']);
    expect(broker.stats().refused).toEqual({ placesPerRequest: 1, placesInAll: 1 });
  });
});

describe('the places of one accessor', () => {
  const ask = (broker: EventBroker, name: string, ...topics: readonly string[]) =>
    broker.subscribe({ acl: of(name), topics, namespace: '*' });

  it('are bounded; what is asked for twice takes none, others have theirs, and what ends makes room', async () => {
    const { broker, refused } = limited({ placesPerToken: 2 });
    const open = await ask(broker, 'alice', 'A', 'B');
    const error = await failureOf(() => ask(broker, 'alice', 'C'));
    expect(error).toMatchObject({
      code: 'at_capacity',
      limit: 'placesPerToken',
      message: 'All 2 pairs of namespace and topic that one token may have are in use.',
    });
    expect(refused).toMatchObject([{ limit: 'placesPerToken', accessorId: 'alice', topics: 'C:*', error }]);
    await ask(broker, 'alice', 'B', 'A');
    await ask(broker, 'bob', 'C');
    await ask(broker, 'alice', 'C');
    await broker.subscribe({ topics: ['D', 'E', 'F'], namespace: '*' });
    open.close();
    expect(await failureOf(() => ask(broker, 'alice', 'G'))).toMatchObject({ limit: 'placesPerToken' });
    for (const { accessorId } of broker.subscriptions()) if (accessorId) await broker.aclChanged({ token: accessorId });
    await expect(ask(broker, 'alice', 'G', 'H')).resolves.toBeDefined();
    expect(broker.stats().refused).toEqual({ placesPerToken: 2 });
  });

  it('leave room for ten tokens at theirs', async () => {
    const { broker } = limited({});
    const thousand = Array.from({ length: 1000 }, (_, i) => `Job:${i}`);
    const open = (i: number) =>
      broker.subscribe({
        acl: of('alice'),
        topics: thousand,
        namespace: Array.from({ length: 9 }, (_, n) => `${i}-${n}`),
      });
    for (let i = 0; i < 5; i++) await open(i);
    expect(await failureOf(() => open(5))).toMatchObject({ limit: 'placesPerToken' });
  });

  it('bound what a stream sees after its rights were widened too: it ends, told and counted', async () => {
    const namespace = (...names: readonly string[]) => ({
      namespace: Object.fromEntries(names.map((name) => [name, { capabilities: ['read'] }])),
    });
    let rules = namespace('acme');
    const topics = defineTopics({ Order: { requires: { namespace: 'read' } } });
    const { broker, refused } = limited({ placesPerToken: 3 }, { topics });
    const acl = (): Acl => Acl.fromRules([rules], { accessorId: 'alice', perAccessor: true });
    const subscription = await broker.subscribe({ topics: ['Order'], scope: 'allowed', acl });
    rules = namespace('acme', 'b', 'c', 'd');
    await broker.aclChanged({ token: 'alice' });
    expect(await failureOf(() => subscription.next())).toMatchObject({ code: 'acl_unavailable' });
    expect(refused).toMatchObject([{ limit: 'placesPerToken', accessorId: 'alice', topics: 'Order:*' }]);
    expect(broker.stats().refused).toEqual({ placesPerToken: 1 });
  });
});

describe.each<[string, () => EventBrokerOptions]>([
  ['without a log', () => ({})],
  ['with a log', () => ({ log: new MemoryEventLog() })],
])('what is published, %s,', (_, options) => {
  it('has so many events in a batch and no more: nothing of it is published, nothing committed', async () => {
    const { broker, refused } = limited({ eventsPerBatch: 2 }, options());
    let commits = 0;
    let copies = 0;
    const counting = { toJSON: () => ++copies };
    const three = [event(), event(), event(counting)];
    const error = await failureOf(() => broker.publish(three, { commit: () => commits++ }));
    expect(error).toMatchObject({
      code: 'bad_request',
      limit: 'eventsPerBatch',
      message: 'A batch may hold at most 2 events, not 3; nothing was published.',
    });
    expect({ commits, copies }).toEqual({ commits: 0, copies: 0 });
    expect(refused).toEqual([{ limit: 'eventsPerBatch', accessorId: undefined, topics: '', namespaces: [], error }]);
    expect(await broker.publish([event(), event()])).toBe(1);
    expect(await firstOf(broker)).toMatchObject({ index: 1, events: [{ key: 'a' }, { key: 'a' }] });
    expect(broker.stats()).toMatchObject({ publishedBatches: 1, refused: { eventsPerBatch: 1 } });
  });

  it('has so many bytes in an event and no more: nothing of its batch is published', async () => {
    const { broker, refused } = limited({ bytesPerEvent: 100 }, options());
    // "Job", "Made" and "a" are 8, the quotes of the payload 2.
    const error = await failureOf(() => broker.publish([event(), event('x'.repeat(91))]));
    expect(error).toMatchObject({
      code: 'bad_request',
      limit: 'bytesPerEvent',
      message: 'events[1] takes 101 bytes; at most 100 are allowed. Nothing was published.',
    });
    expect(refused).toMatchObject([{ limit: 'bytesPerEvent', topics: '' }]);
    expect(await broker.publish(event('x'.repeat(90)))).toBe(1);
    expect(await firstOf(broker)).toMatchObject({ index: 1, events: [{ payload: 'x'.repeat(90) }] });
    expect(broker.stats().refused).toEqual({ bytesPerEvent: 1 });
  });
});

describe('the bytes of an event', () => {
  it.each<[string, NewEvent, number]>([
    ['letters of two and three bytes', event('é€'), 8 + 7],
    ['letters that JSON writes as six', event('\u0001'.repeat(20)), 8 + 122],
    ['half a pair, which JSON writes as six', event('\ud800'.repeat(20)), 8 + 122],
    ['numbers', event([0.1234567890123456, -2147483648, true, null]), 8 + 42],
    ['names of members', event({ ['k'.repeat(50)]: 1 }), 8 + 56],
    ['keys', { ...event(1, '€'.repeat(10)), filterKeys: ['é', 'b'], namespace: 'n' }, 7 + 30 + 2 + 1 + 1 + 1],
    ['nothing', event(null), 8 + 4],
    ['a plain number', event(-1.7976931348623157e308), 8 + 24],
  ])('count %s as UTF-8 of JSON', async (_, given, bytes) => {
    const { broker } = limited({ bytesPerEvent: bytes - 1 });
    expect((await failureOf(() => broker.publish(given))).message).toContain(` takes ${bytes} bytes; `);
    const { broker: roomier } = limited({ bytesPerEvent: bytes });
    await expect(roomier.publish(given)).resolves.toBe(1);
  });
});

describe('a record of another process', () => {
  it('is read whatever the limits here: it was acknowledged', async () => {
    const log = new MemoryEventLog();
    const { broker: other } = limited({}, { log });
    const { broker, refused } = limited({ eventsPerBatch: 1, bytesPerEvent: 10 }, { log });
    const subscription = await broker.subscribe({ namespace: '*' });
    await other.publish([event('x'.repeat(100)), event()]);
    const { value } = await subscription.next();
    expect(value?.events).toHaveLength(2);
    expect(refused).toEqual([]);
  });
});

describe('a refusal', () => {
  it('of another kind is no matter of limits', async () => {
    const { broker, refused } = limited({}, { topics: defineTopics({ Job: {} }) });
    await failureOf(() => broker.publish({ ...event(), topic: '*' } as never));
    await failureOf(() => broker.subscribe({ topics: ['Node' as 'Job'] }));
    expect(refused).toEqual([]);
    expect(broker.stats().refused).toEqual({});
  });

  it('is told without harm by a listener that throws', async () => {
    const { broker } = limited({ subscriptions: 1 });
    broker.on('refused', () => {
      throw new Error('mine');
    });
    await broker.subscribe();
    expect(await failureOf(() => broker.subscribe())).toMatchObject({ code: 'at_capacity' });
    expect(broker.stats().listenerErrors).toBe(1);
  });
});
