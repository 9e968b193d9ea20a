import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ndjsonStream } from '../../src/adapters/ndjson.ts';
import { parseLastEventId, sseFormat, sseHandler } from '../../src/adapters/sse.ts';
import { Acl, BrokerError, EventBroker } from '../../src/index.ts';
import { EventSourceParser, type ServerSentEvent } from './event-source-parser.ts';
import { jobEvent, mountedBroker, subscriptionsAre, wireJob } from './mounted-broker.ts';
import { MountedServer } from './mounted-server.ts';
import { forNode, mounts, type HeaderOf, type Mount } from './mounts.ts';
import type { StreamClient } from './stream-client.ts';

const accept = { accept: 'text/event-stream' };

/** A browser's view of a stream. */
class Page {
  readonly parser = new EventSourceParser();
  readonly #line: () => Promise<string | undefined>;

  private constructor(line: () => Promise<string | undefined>) {
    this.#line = line;
  }

  static async open(client: StreamClient, query = '', headers: Readonly<Record<string, string>> = {}): Promise<Page> {
    const answer = await client.ask({ query, headers: { ...accept, ...headers } });
    const type = answer.headers['content-type'];
    if (type !== 'text/event-stream') throw new Error(`The page got ${type}.`);
    return new Page(() => answer.body.line());
  }

  /** The next events that the page gets. */
  async events(count: number): Promise<ServerSentEvent[]> {
    while (this.parser.events.length < count) await this.#step();
    return this.parser.events.splice(0, count);
  }

  /** The next heartbeat. */
  async comment(): Promise<string> {
    while (this.parser.comments.length === 0) await this.#step();
    return this.parser.comments.shift() ?? '';
  }

  /** What comes after all else: undefined, where the stream has ended. */
  rest(): Promise<string | undefined> {
    return this.#line();
  }

  async #step(): Promise<void> {
    const line = await this.#line();
    if (line === undefined) throw new Error('The stream has ended.');
    this.parser.push(`${line}\n`);
  }
}

const dataOf = ({ data }: ServerSentEvent) => JSON.parse(data) as unknown;

describe.each(mounts)('server-sent events on $name', (mount) => {
  it('begin with the time to reconnect and a heartbeat that is a comment', async () => {
    const { client } = await mountedBroker(mount);
    const page = await Page.open(client);
    expect(await page.comment()).toBe('');
    expect(page.parser).toMatchObject({ lastEventId: '', events: [] });
    expect(page.parser.retryMs).toBeGreaterThanOrEqual(1000);
    expect(page.parser.retryMs).toBeLessThan(3000);
  });

  it('are the batches, each with its place as its id', async () => {
    const { broker, client } = await mountedBroker(mount);
    await broker.publish(jobEvent('a\r\n\r\ndata: forged'));
    const page = await Page.open(client);
    await broker.publish(jobEvent(2));
    const [first, second] = await page.events(2);
    expect(first).toEqual({ name: 'message', lastEventId: `${broker.epoch}:1`, data: expect.any(String) });
    expect(JSON.parse(first?.data ?? '')).toEqual(wireJob(1, 'a\r\n\r\ndata: forged'));
    expect(second?.lastEventId).toBe(`${broker.epoch}:2`);
  });

  it('go on after Last-Event-ID, whatever the query says', async () => {
    const { broker, client } = await mountedBroker(mount);
    for (let n = 1; n <= 3; n++) await broker.publish(jobEvent(n));
    const page = await Page.open(client, '?index=latest', { 'last-event-id': `${broker.epoch}:1` });
    expect((await page.events(2)).map(dataOf)).toEqual([wireJob(2, 2), wireJob(3, 3)]);
  });

  it('tell a gap by name, without an id of its own', async () => {
    const { broker, client } = await mountedBroker(mount, { buffer: { maxBatches: 1 } });
    for (let n = 1; n <= 3; n++) await broker.publish(jobEvent(n));
    const page = await Page.open(client, '', { 'last-event-id': `${broker.epoch}:1` });
    const [gap, batch] = await page.events(2);
    expect(gap).toEqual({ name: 'gap', lastEventId: '', data: '{"From":2,"To":2,"Reason":"trimmed"}' });
    expect(batch).toMatchObject({ name: 'message', lastEventId: `${broker.epoch}:3` });
  });

  it('tell of a restart to who comes with an id of another epoch', async () => {
    const { broker, client } = await mountedBroker(mount);
    await broker.publish(jobEvent(1));
    const page = await Page.open(client, '', { 'last-event-id': 'before:7' });
    const [gap, batch] = await page.events(2);
    expect(gap?.name).toBe('gap');
    expect(JSON.parse(gap?.data ?? '')).toMatchObject({ Reason: 'restarted', Epoch: broker.epoch });
    expect(batch).toMatchObject({ name: 'message', lastEventId: `${broker.epoch}:1` });
  });

  it('end with the reason by name, without an id of its own', async () => {
    const { broker, client } = await mountedBroker(mount);
    const page = await Page.open(client);
    await page.comment();
    await broker.publish(jobEvent(1));
    await broker.close();
    const [batch, error] = await page.events(2);
    expect(error).toMatchObject({ name: 'error', lastEventId: batch?.lastEventId });
    expect(JSON.parse(error?.data ?? '')).toMatchObject({ Code: 'closed', Retry: 'resume', Index: 1 });
    expect(await page.rest()).toBeUndefined();
  });

  it('move the place to resume from by heartbeats, where bookmarks are asked for', async () => {
    const { broker, client } = await mountedBroker(mount, {}, { heartbeatMs: 10 });
    const page = await Page.open(client, '?topic=Node&bookmarks=true');
    await page.comment();
    await broker.publish(jobEvent(1));
    while ((await page.comment()) !== ' 1');
    await page.comment();
    expect(page.parser).toMatchObject({ lastEventId: `${broker.epoch}:1`, events: [] });
  });

  it('are refused as the stream is: with a status and JSON', async () => {
    const { client } = await mountedBroker(mount);
    for (const id of ['7', ':7', 'e:', 'e:x', 'e:-1', 'e:9007199254740991']) {
      const { status, headers, body } = await client.ask({ headers: { ...accept, 'last-event-id': id } });
      expect(status).toBe(400);
      expect(headers).toMatchObject({ 'content-type': 'application/json' });
      expect(JSON.parse(await body.rest())).toMatchObject({
        Error: {
          Code: 'bad_request',
          Message: 'Header Last-Event-ID must be an id of this stream, "<epoch>:<index>".',
        },
      });
    }
  });

  it('are chosen by Accept alone', async () => {
    const { broker, client } = await mountedBroker(mount);
    const types = [
      ['text/event-stream', 'text/event-stream'],
      ['Text/Event-Stream', 'text/event-stream'],
      ['application/json;q=0.5, text/event-stream', 'text/event-stream'],
      ['*/*', 'application/json'],
      ['application/json', 'application/json'],
      ['text/html', 'application/json'],
    ] as const;
    for (const [asked, given] of types) {
      const { headers } = await client.ask({ method: 'HEAD', headers: { accept: asked } });
      expect(headers).toMatchObject({ 'content-type': given, 'cache-control': 'no-cache, no-store, no-transform' });
    }
    expect((await client.ask({ headers: { 'last-event-id': 'nonsense' } })).status).toBe(200);
    client.close();
    await subscriptionsAre(broker, 0);
  });
});

describe('sseHandler', () => {
  const mount: Mount = {
    name: 'sseHandler',
    protocol: 'http1',
    path: '/events',
    start: (options) => MountedServer.listening(createServer(sseHandler(forNode(options))).listen(0, '127.0.0.1')),
  };

  it('asks acl and pin with the request', async () => {
    const asked: (string | undefined)[] = [];
    const acl = (header: HeaderOf) => (asked.push(header('cookie')), Acl.management);
    const pin = (header: HeaderOf) => (asked.push(header('cookie')), { namespace: 'acme' });
    const { client } = await mountedBroker(mount, {}, { acl, pin });
    const headers = { cookie: 'session=7' };
    expect((await client.ask({ headers })).status).toBe(200);
    expect((await client.ask({ headers, query: '?namespace=beta' })).status).toBe(403);
    expect(new Set(asked)).toEqual(new Set(['session=7']));
  });

  it('sends events whatever the request accepts', async () => {
    const { broker, client } = await mountedBroker(mount);
    await broker.publish(jobEvent(1));
    for (const headers of [{ accept: '*/*' }, { accept: 'application/json' }]) {
      const page = await Page.open(client, '', headers);
      expect((await page.events(1)).map(dataOf)).toEqual([wireJob(1, 1)]);
    }
  });
});

describe('sseFormat', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .array(
        fc.constantFrom(
          '\r',
          '\n',
          '\u2028',
          '\u2029',
          '\u0085',
          '\0',
          '\ufeff',
          'data:',
          'id: e:9',
          'event: x',
          ':',
          ' ',
        ),
      )
      .map((parts) => parts.join('')),
  );

  it('lets no text forge a line or an event, wherever in an event it stands', async () => {
    const name = hostile.filter((value) => value !== '' && value !== '*' && !value.includes(':'));
    const key = hostile.filter((value) => value !== '');
    const event = fc.record({
      topic: name,
      type: key,
      key,
      filterKeys: fc.array(key),
      payload: fc.dictionary(hostile, hostile),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(event, { minLength: 1, maxLength: 3 }), { maxLength: 5 }), async (batches) => {
        const broker = new EventBroker();
        for (const batch of batches) await broker.publish(batch);
        const stream = ndjsonStream(await broker.subscribe(), { format: sseFormat(broker.epoch) });
        await broker.close();
        const parser = new EventSourceParser();
        parser.push(await text(stream));
        const seen = parser.events.splice(0);
        expect(seen.pop()).toMatchObject({ name: 'error' });
        expect(seen.map(({ lastEventId }) => lastEventId)).toEqual(batches.map((_, n) => `${broker.epoch}:${n + 1}`));
        expect(seen.map(({ name }) => name)).toEqual(batches.map(() => 'message'));
        expect(
          seen.map(({ data }) =>
            (JSON.parse(data) as { Events: { Payload: unknown }[] }).Events.map(({ Payload }) => Payload),
          ),
        ).toEqual(batches.map((batch) => batch.map(({ payload }) => JSON.parse(JSON.stringify(payload)) as unknown)));
      }),
      { numRuns: 60 },
    );
  });

  it('lets no error message forge a line', () => {
    fc.assert(
      fc.property(hostile, (message) => {
        const parser = new EventSourceParser();
        parser.push(sseFormat('e').error(new BrokerError('slow', message)));
        expect(parser.events).toHaveLength(1);
        expect(JSON.parse(parser.events[0]?.data ?? '')).toMatchObject({
          Message: message,
        });
      }),
    );
  });

  it('refuses an epoch that would break a line', () => {
    for (const epoch of ['a\nb', 'a\rb', 'a\0b']) expect(() => sseFormat(epoch)).toThrow(TypeError);
  });

  it('is one object for an epoch, so that streams share their chunks', () => {
    expect(sseFormat('one')).toBe(sseFormat('one'));
  });

  it('gives ids that parseLastEventId reads back, as the place after', () => {
    const epoch = fc.string({ minLength: 1 }).filter((value) => !/[\r\n\0]/.test(value));
    fc.assert(
      fc.property(
        epoch,
        fc.maxSafeNat().filter((index) => index < Number.MAX_SAFE_INTEGER),
        (epoch, index) => {
          const parser = new EventSourceParser();
          parser.push(sseFormat(epoch).batch({ index, line: '{}\n' }));
          expect(parseLastEventId(parser.lastEventId)).toEqual({ epoch, index: index + 1 });
        },
      ),
    );
  });
});
