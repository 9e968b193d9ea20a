import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EventBroker, type EventBrokerOptions } from '../../src/core/broker/event-broker.ts';
import { defineTopics } from '../../src/model/topics.ts';
import { HttpEndpoint } from './http-stream.ts';
import { drain, failureOf } from './reading.ts';

const topics = defineTopics({
  Job: {},
  Node: {},
  NodeDrain: { aliasOf: 'Node', types: ['NodeDrain'] },
  Role: { aclChange: 'role' },
});
const event = { topic: 'Job', type: 'JobRegistered', key: 'web', payload: null } as const;
const circular: Record<string, unknown> = {};
circular['self'] = circular;

describe('a bad event', () => {
  it.each([
    ['no object', 7, /event must be an object; got 7/],
    ['null', null, /event must be an object/],
    ['an empty batch', [], /at least one event/],
    ['an empty topic', { ...event, topic: '' }, /event\.topic must be a string that is not empty/],
    ['a topic that is no string', { ...event, topic: 5 }, /event\.topic/],
    ['a topic with a colon', { ...event, topic: 'Job:web' }, /event\.topic must not be "\*" nor contain ":"/],
    ['an unknown topic', { ...event, topic: 'Jbo' }, /unknown topic "Jbo"; known topics: Job, Node, NodeDrain, Role/],
    ['an alias', { ...event, topic: 'NodeDrain' }, /alias of "Node"/],
    ['an empty type', { ...event, type: '' }, /event\.type/],
    ['no key', { ...event, key: undefined }, /event\.key .* got undefined/],
    ['the namespace *', { ...event, namespace: '*' }, /event\.namespace must be a string other than "\*"/],
    ['a namespace that is no string', { ...event, namespace: 1 }, /event\.namespace/],
    ['filter keys that are no list', { ...event, filterKeys: 'a' }, /event\.filterKeys must be an array/],
    ['a filter key that is no string', { ...event, filterKeys: ['a', 7] }, /event\.filterKeys\[1\] .* got 7/],
    ['an ACL change that names nothing', { ...event, topic: 'Role', key: '' }, /event\.key must name the role that/],
    // A hole, not undefined.
    ['a hole among the filter keys', { ...event, filterKeys: Array.from({ length: 1 }) }, /event\.filterKeys\[0\]/],
    ['a sparse list of filter keys', { ...event, filterKeys: Object.assign([], { 1: 'a' }) }, /event\.filterKeys\[0\]/],
    ['a circular payload', { ...event, payload: circular }, /event\.payload .*circular/],
    ['a BigInt in the payload', { ...event, payload: { n: 1n } }, /event\.payload .*BigInt/],
    ['a payload that is undefined', { ...event, payload: undefined }, /event\.payload/],
    ['one bad event among good ones', [event, { ...event, key: null }], /events\[1\]\.key/],
  ])('is refused: %s', async (_, events, message) => {
    const broker = new EventBroker({ topics });
    const subscription = await broker.subscribe();
    await broker.publish(event);
    const before = broker.stats();
    const error = await failureOf(() => broker.publish(events as never));
    expect(error.code).toBe('bad_request');
    expect(error.message).toMatch(message);
    expect(broker.stats()).toEqual(before);
    expect(await broker.publish(event)).toBe(2);
    expect(drain(subscription).indexes).toEqual([1, 2]);
  });

  it('has its place in the message of a payload that throws, with the cause', async () => {
    const broker = new EventBroker();
    const failure = new Error('getter');
    const payload = Object.defineProperty({}, 'x', {
      enumerable: true,
      get: () => {
        throw failure;
      },
    });
    expect(await failureOf(() => broker.publish([event, { ...event, payload }]))).toMatchObject({
      code: 'bad_request',
      message: expect.stringContaining('events[1].payload') as string,
      cause: failure,
    });
  });
});

describe('an event as Nomad sends it', () => {
  it('may have an empty key and empty filter keys, and is found by those that are not', async () => {
    const broker = new EventBroker({ topics });
    const [byKey, all] = [await broker.subscribe({ topics: ['Job:hv1'] }), await broker.subscribe({ topics: ['Job'] })];
    await broker.publish({ ...event, key: '', filterKeys: ['', 'hv1', ''] });
    for (const subscription of [byKey, all]) {
      const [batch] = drain(subscription).batches;
      expect(batch?.events).toMatchObject([{ key: '', filterKeys: ['hv1'] }]);
    }
  });
});

describe('a bad option of publish', () => {
  it.each([
    [{ index: 0 }, 'bad_request', /index must be a whole number from 1/],
    [{ index: -1 }, 'bad_request', /index/],
    [{ index: 1.5 }, 'bad_request', /index/],
    [{ index: 2 ** 53 }, 'bad_request', /to 9007199254740991/],
    [{ index: '7' }, 'bad_request', /got "7"/],
    [{ index: NaN }, 'bad_request', /index/],
    [{ expectedIndex: -1 }, 'bad_request', /expectedIndex/],
    [{ id: 'once' }, 'not_supported', /id needs a log/],
  ])('is refused: %j', async (options, code, message) => {
    const broker = new EventBroker();
    const error = await failureOf(() => broker.publish(event, options as never));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(broker.stats().latestIndex).toBe(0);
  });
});

describe('a bad option of subscribe', () => {
  it.each([
    [{ index: -1 }, /index must be a whole number from 0/],
    [{ index: 0.5 }, /index/],
    [{ index: 2 ** 53 }, /index/],
    [{ index: '1' }, /index .* got "1"/],
    [{ index: 'newest' }, /index/],
    [{ index: null }, /index/],
    [{ topics: ['Jbo'] }, /unknown topic "Jbo"; known topics: Job, Node, NodeDrain/],
    [{ topics: ['Job:'] }, /empty key/],
    [{ topics: [':web'] }, /empty topic/],
    [{ topics: { Jbo: ['*'] } }, /unknown topic "Jbo"/],
    [{ topics: 7 }, /topics must be/],
    [{ namespace: '' }, /namespace must be a name that is not empty/],
    [{ namespace: [] }, /namespace/],
    [{ onGap: 'stop' }, /onGap must be "continue" or "fail"; got "stop"/],
    [{ token: 5 }, /token must be a string/],
  ])('is refused: %j', async (options, message) => {
    const broker = new EventBroker({ topics });
    const error = await failureOf(() => broker.subscribe(options as never));
    expect(error).toMatchObject({ code: 'bad_request', status: 400, retry: 'never' });
    expect(error.message).toMatch(message);
    expect(broker.stats()).toMatchObject({ subscriptions: 0, interests: 0 });
  });

  it('is never shown when it is the token', async () => {
    const broker = new EventBroker();
    const error = await failureOf(() => broker.subscribe({ token: ['s3cret'] as never }));
    expect(error.message).not.toContain('s3cret');
  });
});

describe('a bad option of the broker is a programming mistake', () => {
  it.each<[EventBrokerOptions, RegExp]>([
    [{ buffer: { maxBatches: 0 } }, /buffer\.maxBatches/],
    [{ buffer: { maxBytes: -1 } }, /buffer\.maxBytes/],
    [{ flush: { maxShare: 2 } }, /flush\.maxShare/],
    [{ reauthorizeTimeoutMs: 0 }, /reauthorizeTimeoutMs/],
    [{ maxSubscriptions: 0 }, /maxSubscriptions/],
  ])('%j', (options, message) => {
    expect(() => new EventBroker(options)).toThrow(TypeError);
    expect(() => new EventBroker(options)).toThrow(message);
  });

  it.each(['', '*', 'a:b'])('a topic named %j', (name) => {
    expect(() => defineTopics({ [name]: {} })).toThrow(TypeError);
  });

  it('an alias of nothing', () => {
    expect(() => defineTopics({ A: { aliasOf: 'B' } })).toThrow(/alias of "B", which is not defined/);
  });
});

describe('after close', () => {
  it('publish and subscribe fail with `closed`, and what waited for a commit tells that it is done', async () => {
    const broker = new EventBroker();
    let commit = (): void => undefined;
    const publishing = broker.publish(event, { commit: () => new Promise<void>((resolve) => (commit = resolve)) });
    await broker.close();
    commit();
    for (const call of [
      () => broker.publish(event),
      () => broker.subscribe(),
      () => broker.aclChanged({ policy: 'p' }),
    ])
      expect(await failureOf(call)).toMatchObject({ code: 'closed', status: 503, retry: 'resume' });
    // Its commit is done: that is another thing than a publish that did nothing.
    expect(await failureOf(() => publishing)).toMatchObject({ code: 'unpublished', cause: { code: 'closed' } });
    expect(broker.stats()).toMatchObject({ latestIndex: 0, subscriptions: 0 });
  });
});

describe('a bad request over HTTP', () => {
  const broker = new EventBroker({ topics });
  let endpoint: HttpEndpoint;
  beforeAll(async () => {
    endpoint = await HttpEndpoint.serve({ broker });
  });
  afterAll(() => endpoint.close());

  it.each([
    ['index=-1', /Parameter index must be a whole number from 0 to 9007199254740991, or "latest"; got "-1"/],
    ['index=1.5', /index/],
    ['index=abc', /got "abc"/],
    ['index=1e3', /index/],
    ['index=0x10', /index/],
    ['index=%201', /index/],
    ['index=1&index=2', /Parameter index is given 2 times; it may stand once/],
    ['gap=fail&gap=fail', /Parameter gap is given 2 times/],
    ['epoch=a&epoch=b', /Parameter epoch is given 2 times/],
    ['gap=stop', /Parameter gap must be continue or fail; got "stop"/],
    ['bookmarks=1', /Parameter bookmarks must be false or true; got "1"/],
    ['topic=', /empty topic/],
    ['topic=Job:', /empty key/],
    ['topic=%3Aweb', /empty topic/],
    ['topic=Jbo', /unknown topic "Jbo"; known topics: Job, Node, NodeDrain/],
    ['topic=%E0%A4%A', /malformed percent-escape/],
    ['%zz=1', /malformed percent-escape/],
    [Array.from({ length: 1001 }, () => 'a=1').join('&'), /1001 parameters; at most 1000/],
  ])('is a 400 that names what is allowed: %s', async (query, message) => {
    const stream = await endpoint.open(query);
    expect(stream.status).toBe(400);
    const line = await stream.line();
    expect(line?.Error).toMatchObject({ Code: 'bad_request', Retry: 'never' });
    expect(line?.Error?.Message).toMatch(message);
    expect(await stream.text()).toBeUndefined();
    expect(broker.stats().subscriptions).toBe(0);
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH'])('is a 405 for %s, which says what is allowed', async (method) => {
    const stream = await endpoint.open('', {}, method);
    expect(stream.status).toBe(405);
    expect(stream.headers.allow).toBe('GET, HEAD, OPTIONS');
    expect((await stream.line())?.Error?.Code).toBe('method_not_allowed');
  });

  it('is none for parameters that it does not know', async () => {
    const stream = await endpoint.open('region=eu&pretty');
    expect(stream.status).toBe(200);
    stream.close();
  });
});
