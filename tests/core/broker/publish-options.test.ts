import { describe, expect, it } from 'vitest';
import {
  Acl,
  type BrokerError,
  defineTopics,
  EventBroker,
  type EventBatch,
  type PublishOptions,
  type Subscription,
} from 'fenceline';
import { ndjsonFormat } from 'fenceline/ndjson';
import { MemoryEventLog } from 'fenceline/testing';
import type { EventLog } from '../../../src/core/log/event-log.ts';

const event = (key = 'a') => ({ topic: 'Job', type: 'Made', key, payload: null });
const any = (value: unknown): never => value as never;
const MAX = Number.MAX_SAFE_INTEGER;

/** What a publish failed with; an error that this test threw for want of one where it did not. */
async function failure(broker: EventBroker, options: unknown, events = [event()]): Promise<BrokerError> {
  try {
    await broker.publish(events, options as PublishOptions);
  } catch (error) {
    return error as BrokerError;
  }
  throw new Error('It was published.');
}

function batchesOf(subscription: Subscription): EventBatch[] {
  const batches: EventBatch[] = [];
  for (let batch = subscription.poll(); batch; batch = subscription.poll()) batches.push(batch);
  return batches;
}

/** A log that says otherwise of what it can do. */
const logThat = (capabilities: object): EventLog => {
  const log = new MemoryEventLog();
  Object.defineProperty(log, 'capabilities', { value: { ...log.capabilities, ...capabilities } });
  return log;
};

describe('publish with an index', () => {
  it('goes on from it, and refuses one that is not above the newest', async () => {
    const broker = new EventBroker();
    expect(await broker.publish(event(), { index: 7 })).toBe(7);
    expect(await broker.publish(event())).toBe(8);
    for (const index of [7, 8]) {
      expect(await failure(broker, { index })).toMatchObject({
        code: 'index_conflict',
        message: `index must be above the newest index, 8; got ${index}.`,
      });
    }
    expect(await broker.publish(event(), { index: 9 })).toBe(9);
  });

  it.each(['7', 0, -1, 1.5, Number.NaN, MAX + 1, 7n, null])('%s is no index', async (index) => {
    const error = await failure(new EventBroker(), { index });
    expect(error.code).toBe('bad_request');
    expect(error.message).toMatch(/^index must be a whole number from 1 to 9007199254740991; got /);
  });

  it('appends to the newest batch where it is told to, and not to an older one', async () => {
    const broker = new EventBroker();
    const subscription = await broker.subscribe();
    await broker.publish(event('a'), { index: 5 });
    expect(await broker.publish(event('b'), { index: 5, append: true })).toBe(5);
    expect(await failure(broker, { index: 4, append: true })).toMatchObject({
      code: 'index_conflict',
      message: 'index must be the newest index, 5, or above it; got 4.',
    });
    expect(await broker.publish(event('c'), { index: 6, append: true })).toBe(6);
    expect(await broker.publish(event('d'), { index: 6, append: true })).toBe(6);
    expect(await broker.publish(event('e'))).toBe(7);
    const seen = batchesOf(subscription).map(({ index, events }) => [index, events.map(({ key }) => key).join('')]);
    expect(seen).toEqual([
      [5, 'a'],
      [5, 'b'],
      [6, 'c'],
      [6, 'd'],
      [7, 'e'],
    ]);
  });

  it('numbers what is appended, for clients that resume within an index', async () => {
    const broker = new EventBroker();
    const lines: unknown[] = [];
    const sink = {
      write: (chunk: Uint8Array) => {
        for (const line of Buffer.from(chunk).toString().trim().split('\n')) lines.push(JSON.parse(line));
        return true;
      },
      end: () => undefined,
    };
    (await broker.subscribe()).deliverTo(sink, ndjsonFormat, { heartbeatMs: 0 });
    await broker.publish(event('a'), { index: 5 });
    for (const key of ['b', 'c']) await broker.publish(event(key), { index: 5, append: true });
    for (let i = 0; i < 500 && lines.length < 3; i++) await new Promise(setImmediate);
    expect(lines.map((line) => (line as { readonly Appended?: number }).Appended)).toEqual([undefined, 1, 2]);
    await broker.close();
  });

  it('refuses append without one', async () => {
    for (const log of [undefined, new MemoryEventLog()])
      expect(await failure(new EventBroker(any({ log })), { append: true })).toMatchObject({
        name: 'TypeError',
        message: 'append needs the index that the events are appended to.',
      });
  });

  it('reaches the largest index, and nothing above it; what was appended counts', async () => {
    const broker = new EventBroker();
    expect(await broker.publish(event(), { index: MAX - 1 })).toBe(MAX - 1);
    await broker.publish(event(), { index: MAX - 1, append: true });
    expect(await failure(broker, {})).toMatchObject({
      code: 'index_conflict',
      message: `There is no index above ${MAX - 1}.`,
    });
    const fresh = new EventBroker();
    expect(await fresh.publish(event(), { index: MAX })).toBe(MAX);
    expect(await failure(fresh, {})).toMatchObject({ code: 'index_conflict' });
  });
});

describe('publish of several events', () => {
  const limits = { eventsPerBatch: 2 };

  it('takes just so many as one batch, and at least one', async () => {
    const broker = new EventBroker({ limits });
    expect(await broker.publish([event('a'), event('b')])).toBe(1);
    expect(await failure(broker, {}, [event('a'), event('b'), event('c')])).toMatchObject({
      code: 'bad_request',
      limit: 'eventsPerBatch',
      message: 'A batch may hold at most 2 events, not 3; nothing was published.',
    });
    expect(await failure(broker, {}, [])).toMatchObject({
      code: 'bad_request',
      message: 'A batch must hold at least one event; got an empty array.',
    });
    expect(broker.stats()).toMatchObject({ publishedBatches: 1, publishedEvents: 2, refused: { eventsPerBatch: 1 } });
  });

  it('says which of them it refuses', async () => {
    const broker = new EventBroker();
    const bad = { ...event(), topic: '' };
    expect((await failure(broker, {}, any(bad))).message).toMatch(/^event\.topic /);
    expect((await failure(broker, {}, [event(), bad])).message).toMatch(/^events\[1\]\.topic /);
    expect(broker.stats().latestIndex).toBe(0);
  });
});

describe('publish with a commit', () => {
  const topics = defineTopics({ Policy: { aclChange: 'policy' }, Job: { requires: 'anyone' } });

  it('commits first, and publishes nothing where that fails', async () => {
    const broker = new EventBroker();
    let newest = -1;
    await broker.publish(event(), { commit: () => void (newest = broker.stats().latestIndex) });
    expect([newest, broker.stats().latestIndex]).toEqual([0, 1]);
    const fault = new Error('rolled back');
    expect(await failure(broker, { commit: () => Promise.reject(fault) })).toBe(fault);
    expect(broker.stats().latestIndex).toBe(1);
  });

  it('commits nothing where it is known that the index does not fit', async () => {
    const broker = new EventBroker();
    await broker.publish(event());
    let commits = 0;
    for (const options of [{ index: 1 }, { expectedIndex: 0 }])
      expect(await failure(broker, { ...options, commit: () => commits++ })).toMatchObject({ code: 'index_conflict' });
    expect(commits).toBe(0);
  });

  it('says that it is committed and not published, and why', async () => {
    const broker = new EventBroker();
    const error = await failure(broker, { index: 1, commit: () => broker.publish(event()) });
    expect(error).toMatchObject({ code: 'unpublished', cause: { code: 'index_conflict' } });
    const closing = new EventBroker();
    expect(await failure(closing, { commit: () => closing.close() })).toMatchObject({
      code: 'unpublished',
      cause: { code: 'closed' },
    });
  });

  it('holds what rests on a change that is committed and not published, and nothing else', async () => {
    const asked = { a: 0, b: 0 };
    const acl = (name: 'a' | 'b') => () => {
      asked[name]++;
      return Acl.fromRules([], { dependsOn: [`policy:${name}`] });
    };
    const broker = new EventBroker({ topics });
    await broker.subscribe({ topics: ['Job'], acl: acl('a') });
    await broker.subscribe({ topics: ['Job'], acl: acl('b') });
    const change = { topic: 'Policy', type: 'Changed', key: 'a', payload: null } as const;
    const publishing = broker.publish([change, change], {
      index: 1,
      commit: () => broker.publish({ ...change, topic: 'Job' }),
    });
    await expect(publishing).rejects.toMatchObject({ code: 'unpublished' });
    await new Promise(setImmediate);
    expect(asked).toEqual({ a: 2, b: 1 });
  });
});

describe('publish from within what a step calls', () => {
  it('takes its index when the step is over, in the order of the calls', async () => {
    const broker = new EventBroker();
    const seen: number[] = [];
    const published: Promise<number>[] = [];
    const subscription = await broker.subscribe();
    const sink = {
      write: () => {
        seen.push(broker.stats().latestIndex);
        if (published.length < 2) published.push(broker.publish(event('b')), broker.publish(event('c')));
        return true;
      },
      end: () => undefined,
    };
    subscription.deliverTo(sink, ndjsonFormat, { heartbeatMs: 0 });
    await broker.publish(event('a'));
    for (let i = 0; i < 500 && published.length < 2; i++) await new Promise(setImmediate);
    expect(await Promise.all(published)).toEqual([2, 3]);
    await broker.close();
  });
});

describe('publish with what a log does', () => {
  const memory = () => new MemoryEventLog();
  it.each<[what: string, options: object, log: (() => EventLog) | undefined, need: string]>([
    ['index', { index: 1 }, memory, 'no log: a log gives the indexes itself'],
    ['id', { id: 'x' }, undefined, 'a log with dedupeWindowMs above 0'],
    ['id', { id: 'x' }, () => new MemoryEventLog({ dedupeWindowMs: 0 }), 'a log with dedupeWindowMs above 0'],
    ['transaction', { transaction: { query: () => undefined } }, undefined, 'a log that is transactional'],
    ['transaction', { transaction: { query: () => undefined } }, memory, 'a log that is transactional'],
    ['expectedIndex', { expectedIndex: 0 }, () => logThat({ compareAndAppend: false }), 'a log with compareAndAppend'],
  ])('%s %j is refused where it cannot', async (what, options, log, need) => {
    const broker = new EventBroker(any(log && { log: log() }));
    expect(await failure(broker, options)).toMatchObject({
      code: 'not_supported',
      message: `Publishing with ${what} needs ${need}; nothing was published.`,
    });
    expect(broker.stats().publishedBatches).toBe(0);
    await broker.close();
  });

  it('an id is taken where there is a window, and the same event is published once', async () => {
    const broker = new EventBroker({ log: new MemoryEventLog() });
    expect(await broker.publish(event(), { id: 'x' })).toBe(1);
    expect(await broker.publish(event(), { id: 'x' })).toBe(1);
    expect(await broker.publish(event(), { expectedIndex: 1 })).toBe(2);
    await broker.close();
  });

  it('expectedIndex is compared with the newest, without a log too', async () => {
    const broker = new EventBroker();
    expect(await broker.publish(event(), { expectedIndex: 0 })).toBe(1);
    expect(await failure(broker, { expectedIndex: 0 })).toMatchObject({
      code: 'index_conflict',
      message: 'expectedIndex is 0; the newest index is 1.',
    });
    expect(await failure(broker, { expectedIndex: -1 })).toMatchObject({
      code: 'bad_request',
      message: expect.stringMatching(/^expectedIndex must be a whole number from 0 to /) as unknown,
    });
  });

  it.each([
    [{ transaction: null }, 'transaction must have a function query(text, values); got null.'],
    [{ transaction: {} }, 'transaction must have a function query(text, values); got a value of type object.'],
    [
      { transaction: { query: () => undefined }, commit: () => undefined },
      'commit and transaction exclude each other: the host ends its own.',
    ],
    [{ commit: 'yes' }, 'commit must be a function; got "yes".'],
    [{ indx: 1 }, 'publish has no option "indx".'],
  ])('%j is refused', async (options, message) => {
    for (const log of [undefined, logThat({ transactional: true })]) {
      const error = await failure(new EventBroker(any({ log })), options);
      expect(error.name).toBe('TypeError');
      expect(error.message.slice(0, message.length)).toBe(message);
    }
  });
});

describe('publish of news of ACLs', () => {
  const topics = defineTopics({ ACLToken: { aclChange: 'token' }, Job: {} });

  it.each(['ACLToken'])('%s names what changed', async (topic) => {
    const broker = new EventBroker({ topics });
    const error = await failure(broker as never, {}, [{ ...event(''), topic }]);
    expect(error).toMatchObject({ code: 'bad_request', message: expect.stringContaining('key must name') as unknown });
    await expect(broker.publish({ ...event(''), topic: 'Job' } as never)).resolves.toBe(1);
  });
});
