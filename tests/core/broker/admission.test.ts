import diagnostics from 'node:diagnostics_channel';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  Acl,
  AclResolver,
  defineTopics,
  EventBroker,
  MemoryAclStore,
  type BrokerNotifications,
  type EventBrokerOptions,
  type SubscribeOptions,
} from 'fenceline';
import { MemoryEventLog } from '../../../src/testing/index.ts';
import { failureOf } from '../../conformance/reading.ts';
import { logAround } from '../../logs/log-around.ts';

const topics = defineTopics({
  Order: { requires: { namespace: 'read-orders' }, retain: 'latest' },
  News: { requires: 'anyone' },
});
type Denial = Parameters<BrokerNotifications['denied']>[0];

const order = (key: string) => ({ topic: 'Order', type: 'Placed', key, namespace: 'default', payload: null });
const withOrders = { namespace: { default: { capabilities: ['read-orders'] } } };

function makeBroker(options: EventBrokerOptions = {}) {
  const broker = new EventBroker({ topics: topics as never, ...options });
  const denials: Denial[] = [];
  broker.on('denied', (notice) => denials.push(notice));
  onTestFinished(() => broker.close());
  return { broker, denials };
}

function withTokens(options: EventBrokerOptions = {}) {
  const store = new MemoryAclStore();
  store.upsertPolicy({ name: 'orders', rules: withOrders });
  store.upsertToken({ accessorId: 'boss', secretId: 'boss-secret', type: 'management' });
  store.upsertToken({ accessorId: 'reader', secretId: 'reader-secret', type: 'client', policies: ['orders'] });
  store.upsertToken({ accessorId: 'none', secretId: 'none-secret', type: 'client' });
  return makeBroker({ acl: new AclResolver({ store }), ...options });
}

/** What a log in memory does takes some turns of the event loop. */
async function turnsUntil(isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 500 && !isSo(); i++) await new Promise(setImmediate);
  if (!isSo()) throw new Error('It did not come to that.');
}

describe('management', () => {
  it.each<[string, object]>([
    ['its token', { token: 'boss-secret' }],
    ['a function that finds its token', { token: () => 'boss-secret' }],
    ['an Acl', { acl: Acl.management }],
    ['a function that answers with one', { acl: async () => Acl.management }],
  ])('is who shows %s', async (_, credentials) => {
    const { broker, denials } = withTokens();
    await expect(broker.requireManagement(credentials)).resolves.toBeUndefined();
    expect(denials).toEqual([]);
  });

  it('is without ACLs who brings rights, and nobody else, though all may read all', async () => {
    const { broker, denials } = makeBroker();
    await broker.requireManagement({ acl: Acl.management });
    await broker.requireManagement({ acl: () => Acl.management });
    for (const credentials of [undefined, {}, { token: 'any' }, { token: () => 'any' }])
      expect((await failureOf(() => broker.requireManagement(credentials))).code).toBe('permission_denied');
    expect(denials).toHaveLength(4);
  });

  it('is no other token, and the host is told whose it was', async () => {
    const { broker, denials } = withTokens();
    expect((await failureOf(() => broker.requireManagement({ token: 'reader-secret' }))).code).toBe(
      'permission_denied',
    );
    expect(denials).toMatchObject([
      { topics: '', namespaces: [], accessorId: 'reader', cause: { name: 'AclDenial', reason: 'insufficient' } },
    ]);
  });

  it.each<[string, object, string]>([
    ['a token that is none', { token: 7 }, 'bad_request'],
    ['two credentials', { token: 'x', acl: Acl.management }, 'TypeError'],
    ['an unknown option', { tokn: 'x' }, 'TypeError'],
  ])('is asked for wrongly with %s: that is no denial', async (_, credentials, code) => {
    const { broker, denials } = withTokens();
    const error: unknown = await broker.requireManagement(credentials).catch((caught: unknown) => caught);
    expect(error).toMatchObject(code === 'TypeError' ? { name: code } : { code });
    expect(denials).toEqual([]);
  });

  it('is asked of nobody once the broker is closed', async () => {
    const { broker, denials } = withTokens();
    await broker.close();
    expect((await failureOf(() => broker.requireManagement({ token: 'boss-secret' }))).code).toBe('closed');
    expect((await failureOf(() => broker.readableTopics({ token: 'boss-secret' }))).code).toBe('closed');
    expect(denials).toEqual([]);
  });
});

describe('a subscription that is refused', () => {
  it('is told with what it asked for and why, where that is the host’s to know', async () => {
    const { broker, denials } = withTokens();
    const asked: SubscribeOptions = { topics: ['Order:x'], namespace: ['default', 'other'] };
    expect((await failureOf(() => broker.subscribe({ ...asked, token: 'reader-secret' }))).code).toBe(
      'permission_denied',
    );
    expect((await failureOf(() => broker.subscribe({ ...asked, token: 'nobody' }))).code).toBe('permission_denied');
    const failing = () => {
      throw new Error('the database is away');
    };
    expect((await failureOf(() => broker.subscribe({ ...asked, token: failing }))).code).toBe('internal');
    const about = { topics: 'Order:x', namespaces: ['default', 'other'] };
    expect(denials).toMatchObject([
      {
        ...about,
        accessorId: 'reader',
        finding: { topic: 'Order', namespace: 'other', isMet: false },
        cause: { reason: 'insufficient' },
      },
      { ...about, accessorId: undefined, finding: undefined, cause: { reason: 'unknown' } },
      { topics: '', namespaces: [], accessorId: undefined, cause: { message: 'the database is away' } },
    ]);
  });

  it('is told without what it asked for, where a function has not said it yet', async () => {
    const { broker, denials } = withTokens();
    const pin = () => ({ topics: ['Order'] });
    expect((await failureOf(() => broker.subscribe({ token: 'nobody', pin }))).code).toBe('permission_denied');
    expect((await failureOf(() => broker.subscribe({ token: 'none-secret', pin }))).code).toBe('permission_denied');
    expect(denials.map((denial) => [denial.topics, denial.namespaces])).toEqual([
      ['', []],
      ['Order:*', ['default']],
    ]);
  });

  it.each<[string, object, string]>([
    ['a topic that is none', { topics: ['Nonsense'] }, 'bad_request'],
    ['a gap that is to fail', { topics: ['News'], index: 9, onGap: 'fail' }, 'restarted'],
    ['an unknown option', { topic: ['News'] }, 'TypeError'],
  ])('is not told as a denial where it asks for %s', async (_, options, code) => {
    const { broker, denials } = withTokens();
    const error: unknown = await broker
      .subscribe({ acl: Acl.management, ...options })
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject(code === 'TypeError' ? { name: code } : { code });
    expect(denials).toEqual([]);
  });

  it('gives its reason where the signal was aborted while rights were asked for, and opens nothing', async () => {
    const { broker, denials } = makeBroker();
    const abort = new AbortController();
    const acl = () => {
      abort.abort(new Error('left'));
      return Acl.management;
    };
    await expect(broker.subscribe({ acl, signal: abort.signal })).rejects.toThrow('left');
    expect(broker.stats().subscriptions).toBe(0);
    expect(denials).toEqual([]);
  });
});

describe('a subscription that is traced', () => {
  it('is opened all the same where its host closes it as soon as it is told of it', async () => {
    const { broker } = makeBroker();
    const traced: unknown[] = [];
    const channel = 'tracing:fenceline.subscribe:asyncStart';
    const take = (message: unknown): void => void traced.push(message);
    diagnostics.subscribe(channel, take);
    onTestFinished(() => void diagnostics.unsubscribe(channel, take));
    broker.on('subscribe', ({ subscription }) => subscription.close());
    const subscription = await broker.subscribe({ topics: ['News'], acl: Acl.fromRules([], { accessorId: 'a' }) });
    expect(subscription.state).toBe('closed');
    expect(traced).toMatchObject([{ broker, topics: 'News:*' }]);
  });
});

describe('a start', () => {
  /** A log of 5 records, of which the broker saw the last two, and how often it is asked for its state. */
  async function overLog() {
    const log = new MemoryEventLog();
    const before = new EventBroker({ topics: topics as never, log });
    for (const key of ['a', 'b', 'c']) await before.publish(order(key));
    await before.close();
    const shared = log.share();
    const asked = { times: 0 };
    const counted = logAround(shared, {
      state: () => {
        asked.times++;
        return shared.state();
      },
    });
    const { broker } = makeBroker({ log: counted });
    await broker.ready();
    for (const key of ['d', 'e']) await broker.publish(order(key));
    await turnsUntil(() => broker.stats().latestIndex === 5);
    return { broker, asked };
  }

  it.each<[string, (epoch: string) => SubscribeOptions, number]>([
    ['at the oldest batch that is held', () => ({ index: 4 }), 0],
    ['at the newest', () => ({ index: 5 }), 0],
    ['one past the newest', () => ({ index: 6 }), 0],
    ['there, of this epoch', (epoch) => ({ index: 4, epoch }), 0],
    ['with what comes', () => ({ index: 'latest' }), 0],
    ['of a state', () => ({ index: 2, state: true }), 0],
    ['before what is held', () => ({ index: 3 }), 1],
    ['with all there is', () => ({ index: 0 }), 1],
    ['past the end', () => ({ index: 7 }), 1],
    ['of another epoch', () => ({ index: 5, epoch: 'another' }), 1],
  ])('%s asks the log as seldom as it can', async (_, optionsOf, times) => {
    const { broker, asked } = await overLog();
    const before = asked.times;
    const options = { topics: ['Order' as const], ...optionsOf(broker.epoch) };
    const subscription = await broker.subscribe(options);
    expect(asked.times - before).toBe(times);
    const newest = options.index === 6 || options.index === 'latest' ? undefined : 5;
    await broker.publish(order('f'));
    const indexes: number[] = [];
    for (let i = 0; i < 6 && indexes.at(-1) !== 6; i++) indexes.push((await subscription.next()).value?.index ?? 0);
    expect(indexes.slice(newest === undefined ? 0 : -2)).toEqual(newest === undefined ? [6] : [5, 6]);
  });

  it('of who has no rights asks the log for nothing', async () => {
    const { broker, asked } = await overLog();
    const before = asked.times;
    const acl = Acl.fromRules([]);
    expect((await failureOf(() => broker.subscribe({ topics: ['Order'], index: 1, acl }))).code).toBe(
      'permission_denied',
    );
    expect(asked.times).toBe(before);
  });

  it('is found anew where the log became another one while rights were asked for', async () => {
    const log = new MemoryEventLog();
    const { broker } = makeBroker({ log });
    for (const key of ['a', 'b', 'c']) await broker.publish(order(key));
    await turnsUntil(() => broker.stats().latestIndex === 3);
    const { epoch } = broker;
    let asked = 0;
    const pin = async () => {
      if (asked++ === 0) {
        log.recreate();
        await turnsUntil(() => broker.epoch !== epoch);
      }
      return { topics: ['Order'] };
    };
    const subscription = await broker.subscribe({ index: 3, epoch, pin });
    expect(asked).toBe(2);
    await broker.publish(order('new'));
    const { value: batch } = await subscription.next();
    expect([batch?.index, batch?.gap?.reason, batch?.gap?.epoch]).toEqual([1, 'restarted', broker.epoch]);
  });
});

describe('the subscriptions of one accessor', () => {
  it('are counted by name; those of nobody’s are bounded by the limit for all alone', async () => {
    const { broker } = makeBroker({ limits: { subscriptions: 4, subscriptionsPerToken: 1 } });
    const acl = (accessorId?: string) =>
      Acl.fromRules([withOrders], { ...(accessorId !== undefined && { accessorId }) });
    const open = (accessorId?: string) => broker.subscribe({ topics: ['Order'], acl: acl(accessorId) });
    const [first] = [await open('a'), await open('b'), await open(), await open()];
    expect(await failureOf(() => open('a'))).toMatchObject({ code: 'at_capacity', limit: 'subscriptionsPerToken' });
    expect(await failureOf(() => open())).toMatchObject({ code: 'at_capacity', limit: 'subscriptions' });
    first.close();
    await open('a');
    expect(broker.stats()).toMatchObject({ subscriptions: 4, refused: { subscriptionsPerToken: 1, subscriptions: 1 } });
  });
});
