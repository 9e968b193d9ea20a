import { afterEach, describe, expect, it } from 'vitest';
import { EventBroker, type EventBrokerOptions } from '../../src/core/broker/event-broker.ts';
import { nomadTopics } from '../../src/nomad/index.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { referenceRows } from '../nomad/reference-rows.ts';
import { AclWorld, secretOf } from './acl-world.ts';
import { HttpEndpoint } from './http-stream.ts';

const job = (key = 'web', namespace = 'default') => ({
  topic: 'Job',
  type: 'JobRegistered',
  key,
  namespace,
  payload: { ID: key },
});

let endpoint: HttpEndpoint | undefined;
afterEach(async () => {
  await endpoint?.close();
  endpoint = undefined;
});

async function serve(broker: EventBroker, heartbeatMs?: number): Promise<HttpEndpoint> {
  endpoint = await HttpEndpoint.serve({ broker, ...(heartbeatMs === undefined ? {} : { heartbeatMs }) });
  return endpoint;
}

async function brokerWith(count: number, options: EventBrokerOptions = {}): Promise<EventBroker> {
  const broker = new EventBroker(options);
  for (let i = 0; i < count; i++) await broker.publish(job());
  return broker;
}

describe('a stream over HTTP', () => {
  it('begins with its headers and a heartbeat at once', async () => {
    const broker = new EventBroker();
    const stream = await (await serve(broker)).open();
    expect(stream.status).toBe(200);
    expect(stream.headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-cache, no-store, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      'x-fenceline-epoch': broker.epoch,
    });
    expect(stream.headers['content-length']).toBeUndefined();
    expect(await stream.text()).toBe('{}');
    stream.close();
  });

  it('has one line per batch, byte for byte as the wire is described', async () => {
    const broker = new EventBroker();
    await broker.publish(
      { topic: 'Node', type: 'NodeRegistration', key: 'ccc4', payload: { Node: { ID: 'ccc4' } } },
      { index: 7 },
    );
    await broker.publish([job('a'), { ...job('b'), filterKeys: ['x'] }]);
    const stream = await (await serve(broker)).open();
    expect(await stream.text()).toBe('{}');
    expect(await stream.text()).toBe(
      '{"Index":7,"Events":[{"Topic":"Node","Type":"NodeRegistration","Key":"ccc4","Namespace":"","FilterKeys":null,"Index":7,"Payload":{"Node":{"ID":"ccc4"}}}]}',
    );
    expect(await stream.text()).toBe(
      '{"Index":8,"Events":[{"Topic":"Job","Type":"JobRegistered","Key":"a","Namespace":"default","FilterKeys":null,"Index":8,"Payload":{"ID":"a"}},' +
        '{"Topic":"Job","Type":"JobRegistered","Key":"b","Namespace":"default","FilterKeys":["x"],"Index":8,"Payload":{"ID":"b"}}]}',
    );
    stream.close();
  });

  it.each(Object.entries(referenceRows))(
    'serves the topic %s: every type, by key and by filter key',
    async (topic, { types, namespaced }) => {
      const isAlias = nomadTopics.definition(topic)?.aliasOf !== undefined;
      const broker = new EventBroker({ topics: nomadTopics });
      const namespace = namespaced ? 'prod' : '';
      const published = types.length === 0 ? ['AnyType'] : types;
      for (const type of published) {
        const event = {
          topic: isAlias ? 'Node' : topic,
          type,
          key: 'the-key',
          namespace,
          filterKeys: ['other-key'],
          payload: {},
        };
        await broker.publish(event as never);
      }
      const { open } = { open: (await serve(broker as unknown as EventBroker)).open.bind(endpoint) };
      for (const term of [topic, `${topic}:*`, `${topic}:the-key`, `${topic}:other-key`, '*:other-key']) {
        const stream = await open(`topic=${encodeURIComponent(term)}&namespace=prod`);
        for (const [i, type] of published.entries())
          expect(await stream.news()).toMatchObject({
            Index: i + 1,
            Events: [{ Topic: isAlias ? 'Node' : topic, Type: type, Namespace: namespace }],
          });
        stream.close();
      }
      const stream = await open(`topic=${topic}:no-such-key&topic=${topic}:the-key&namespace=other`);
      const news = namespaced ? undefined : await stream.news();
      expect(news?.Index).toBe(namespaced ? undefined : 1);
      stream.close();
    },
  );

  it('takes several topics and several namespaces as a union', async () => {
    const broker = new EventBroker();
    for (const [key, namespace] of [
      ['a', 'x'],
      ['b', 'x'],
      ['a', 'y'],
      ['a', 'z'],
      ['c', 'y'],
    ] as const)
      await broker.publish(job(key, namespace));
    const stream = await (await serve(broker)).open('topic=Job:a&topic=Job%3Ac&namespace=x&namespace=y');
    const seen = [];
    for (let i = 0; i < 3; i++) seen.push((await stream.news())?.Index);
    expect(seen).toEqual([1, 3, 5]);
    stream.close();
  });

  it('starts at `index`, inclusive, and at `latest`', async () => {
    const broker = await brokerWith(3);
    const { open } = { open: (await serve(broker)).open.bind(endpoint) };
    const [from2, latest] = [await open('index=2'), await open('index=latest')];
    expect((await from2.news())?.Index).toBe(2);
    await broker.publish(job());
    expect((await latest.news())?.Index).toBe(4);
    for (const stream of [from2, latest]) stream.close();
  });

  it('tells a gap on a line before the next batch, and goes on', async () => {
    const stream = await (await serve(await brokerWith(5, { buffer: { maxBatches: 2 } }))).open('index=1');
    expect(await stream.news()).toEqual({ Gap: { From: 1, To: 3, Reason: 'trimmed' }, Events: [] });
    expect((await stream.news())?.Index).toBe(4);
    stream.close();
  });

  it('tells that the indexes began anew to a client of another epoch', async () => {
    const broker = await brokerWith(1);
    const stream = await (await serve(broker)).open('index=50&epoch=other');
    expect(await stream.news()).toEqual({
      Gap: { From: 50, To: 50, Reason: 'restarted', Epoch: broker.epoch },
      Events: [],
    });
    expect((await stream.news())?.Index).toBe(1);
    stream.close();
  });

  it.each([
    ['index=1&gap=fail', 'gap'],
    ['index=1&gap=fail&epoch=other', 'restarted'],
  ])('is a 410 before any event for %s', async (query, code) => {
    const stream = await (await serve(await brokerWith(5, { buffer: { maxBatches: 2 } }))).open(query);
    expect(stream.status).toBe(410);
    expect(await stream.line()).toMatchObject({ Error: { Code: code, Retry: 'resubscribe' } });
  });

  it('ends with the reason as its last line when the broker closes', async () => {
    const broker = await brokerWith(2);
    const stream = await (await serve(broker)).open();
    expect((await stream.news())?.Index).toBe(1);
    await broker.close();
    const lines = await stream.rest();
    expect(lines.at(-1)).toEqual({
      Error: { Code: 'closed', Message: 'The broker is closed.', Retry: 'resume', Index: 2 },
      Events: [],
    });
    expect(lines).toHaveLength(2);
  });

  it('is a 503 with Retry-After when the broker is closed, and when it is full', async () => {
    const closed = new EventBroker();
    await closed.close();
    const full = new EventBroker({ maxSubscriptions: 1 });
    await full.subscribe();
    for (const [broker, code] of [
      [closed, 'closed'],
      [full, 'at_capacity'],
    ] as const) {
      const stream = await (await serve(broker)).open();
      expect([stream.status, stream.headers['retry-after']]).toEqual([503, expect.stringMatching(/^[123]$/)]);
      expect((await stream.line())?.Error).toMatchObject({ Code: code, Retry: 'resume' });
      await endpoint?.close();
    }
  });

  it('answers HEAD as GET without the stream, and OPTIONS with what is allowed', async () => {
    const broker = await brokerWith(1);
    const { open } = { open: (await serve(broker)).open.bind(endpoint) };
    const head = await open('', {}, 'HEAD');
    expect([head.status, head.headers['x-fenceline-epoch'], await head.text()]).toEqual([200, broker.epoch, undefined]);
    expect((await open('index=-1', {}, 'HEAD')).status).toBe(400);
    const options = await open('', {}, 'OPTIONS');
    expect([options.status, options.headers.allow]).toEqual([204, 'GET, HEAD, OPTIONS']);
    expect(broker.stats().subscriptions).toBe(0);
  });

  it('frees its subscription when the client leaves', async () => {
    const broker = new EventBroker();
    const ended = new Promise((resolve) => broker.once('unsubscribe', resolve as never));
    const stream = await (await serve(broker)).open();
    await stream.text();
    stream.close();
    await ended;
    expect(broker.stats()).toMatchObject({ subscriptions: 0, interests: 0 });
  });

  it('finds the token in either header, and prefers its own', async () => {
    const world = new AclWorld();
    world.token('root', { management: true });
    const { open } = { open: (await serve(world.broker as unknown as EventBroker)).open.bind(endpoint) };
    const secret = secretOf('root');
    for (const [headers, status] of [
      [{ 'X-Nomad-Token': secret }, 200],
      [{ Authorization: `Bearer ${secret}` }, 200],
      [{ Authorization: `bearer ${secret}` }, 200],
      [{ 'X-Nomad-Token': secret, Authorization: 'Bearer wrong' }, 200],
      [{ 'X-Nomad-Token': 'wrong', Authorization: `Bearer ${secret}` }, 403],
      [{ Authorization: `Basic ${secret}` }, 403],
      [{}, 403],
    ] as const) {
      const stream = await open('', headers as Record<string, string>);
      expect([headers, stream.status]).toEqual([headers, status]);
      stream.close();
    }
  });
});

describe('heartbeats and bookmarks', () => {
  it('come every interval, and carry the newest index that was passed when asked to', async () => {
    const clock = new VirtualClock();
    const broker = new EventBroker({ clock });
    const { open } = { open: (await serve(broker, 1000)).open.bind(endpoint) };
    const [plain, marked] = [await open('topic=Node'), await open('topic=Node&bookmarks=true')];
    const greeting = `{"Index":0,"Epoch":"${broker.epoch}","HeartbeatMs":1000}`;
    expect([await plain.text(), await marked.text()]).toEqual(['{}', greeting]);
    for (let i = 0; i < 3; i++) await broker.publish(job());
    await clock.advance(1000);
    expect([await plain.text(), await marked.text()]).toEqual(['{}', '{"Index":3}']);
    await clock.advance(1000);
    expect([await plain.text(), await marked.text()]).toEqual(['{}', '{"Index":3}']);
    for (const stream of [plain, marked]) stream.close();
  });

  it('do not pass a gap that was not told yet', async () => {
    const clock = new VirtualClock();
    const broker = await brokerWith(5, { clock, buffer: { maxBatches: 1 } });
    const stream = await (await serve(broker)).open('index=2&bookmarks=true');
    expect(await stream.line()).toEqual({ Epoch: broker.epoch, HeartbeatMs: 15_000 });
    await clock.settle();
    expect(await stream.line()).toEqual({ Gap: { From: 2, To: 4, Reason: 'trimmed' }, Events: [] });
    stream.close();
  });

  it('are none with an interval of 0', async () => {
    const broker = new EventBroker();
    const stream = await (await serve(broker, 0)).open();
    await broker.publish(job());
    expect((await stream.line())?.Index).toBe(1);
    stream.close();
  });
});
