import { getEventListeners, once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventStreamHandler } from '../../src/adapters/http.ts';
import {
  checks,
  nomad,
  serverSentEvents,
  snapshots,
  state,
  type StreamOptions,
  type StreamState,
  streamEventsWith,
  wakeUps,
} from '../../src/client/index.ts';
import { EventBroker } from '../../src/index.ts';
import { batchLine, FakeServer } from './fake-server.ts';
import { url } from './stream-setting.ts';
import { settled, VirtualClock } from './virtual-clock.ts';

/** A client of no part that can be left out. */
const plain = streamEventsWith({});

describe('a client without parts refuses', () => {
  it.each<[string, StreamOptions, string]>([
    ['state', { state: true }, 'streamEventsWith({ state })'],
    ['snapshot', { snapshot: () => ({ value: 1, index: 1 }) }, 'streamEventsWith({ snapshots })'],
  ])('the option %s, and names the part that it needs', (_, options, part) => {
    const call = () => plain(url, options);
    expect(call).toThrow(TypeError);
    expect(call).toThrow(part);
  });

  it.each<[string, string, StreamOptions]>([
    ['an URL with a password', 'http://user:s3cret@server.test/', {}],
    ['a scheme that is not HTTP', 'ftp://s3cret.test/', {}],
    ['an URL that is none', '/v1/event/stream?s3cret', {}],
    ['a header', url, { headers: { Authorization: 's3cret\nline' } }],
    ['a token', url, { token: 's3cret\nline' }],
  ])('%s that cannot be sent, and shows none of it', (_, where, options) => {
    const call = () => plain(where, options);
    expect(call).toThrow(TypeError);
    expect(call).not.toThrow(/s3cret/);
  });

  it('a token of a function that cannot be sent, without asking for another', async () => {
    const server = new FakeServer().stream();
    const stream = plain(url, { fetch: server.fetch, token: () => 's3cret\nline' });
    const error: unknown = await stream.next().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TypeError);
    expect(String((error as Error).stack)).not.toContain('s3cret');
    expect([server.requests.length, stream.state.name]).toEqual([0, 'closed']);
  });

  it('a server that names no epoch, at its first batch', async () => {
    const server = new FakeServer().stream([batchLine(1)]);
    const stream = plain(url, { fetch: server.fetch });
    await expect(stream.next()).rejects.toMatchObject({ code: 'not_supported', retry: 'never' });
    expect(stream.position).toEqual({ index: 0 });
  });
});

describe('a client without parts', () => {
  it('gives up a peer that is silent for two and a half heartbeats, and asks again', async () => {
    const clock = new VirtualClock();
    const server = new FakeServer().stream([{ Index: 4, HeartbeatMs: 10_000 }], 'e1').stream([batchLine(5)], 'e1');
    const stream = plain(url, { fetch: server.fetch, clock, random: () => 1 });
    const next = stream.next();
    await clock.advance(24_999);
    expect(stream.state.name).toBe('live');
    await clock.advance(1);
    expect(stream.state).toMatchObject({ name: 'waiting', delayMs: 375, reason: { code: 'timeout' } });
    await clock.advance(375);
    expect((await next).value?.index).toBe(5);
    expect(server.requests.map(({ query }) => query.get('index'))).toEqual(['0', '5']);
    stream.close();
    expect(clock.pending).toBe(0);
  });

  it('waits no longer for an answer because of a server that it has left', async () => {
    const clock = new VirtualClock();
    const server = new FakeServer()
      .stream([{ Index: 4, HeartbeatMs: 0 }], 'e1')
      .answer(() => new Promise(() => undefined));
    const onState = ({ name }: StreamState) => void (name === 'live' && stream.reconnect());
    const stream = plain(url, { fetch: server.fetch, clock, onState });
    void stream.next();
    await clock.advance(74_999);
    expect([server.requests.length, stream.state.name]).toEqual([2, 'connecting']);
    await clock.advance(1);
    expect(stream.state).toMatchObject({ name: 'waiting', reason: { code: 'timeout' } });
    stream.close();
  });

  it('that is closed when it says that it waits throws what it would wait for', async () => {
    const server = new FakeServer().refusal(403, 'Permission denied');
    const onState = ({ name }: StreamState) => void (name === 'waiting' && stream.close());
    const stream = plain(url, { fetch: server.fetch, onState });
    await expect(stream.next()).rejects.toMatchObject({ code: 'permission_denied', status: 403 });
    expect([server.requests.length, stream.state]).toEqual([1, { name: 'closed' }]);
  });

  it('takes an end in the middle of a letter for one of the connection, however often', async () => {
    const half = Buffer.from('{"Index":4}\n{"Events":"ä').subarray(0, -1);
    const server = new FakeServer();
    for (let i = 0; i < 10; i++) server.answer(() => new Response(half, { headers: { 'X-Fenceline-Epoch': 'e1' } }));
    server.stream([batchLine(5)], 'e1');
    const clock = new VirtualClock();
    const codes = new Set<unknown>();
    const onState = (now: StreamState): unknown => now.name === 'waiting' && codes.add(now.reason.code);
    const stream = plain(url, { fetch: server.fetch, clock, onState, maxDelayMs: 1 });
    const next = stream.next();
    await clock.advance(100);
    expect((await next).value?.index).toBe(5);
    expect([...codes]).toEqual(['network']);
    stream.close();
  });

  it('says what a refusal said before its connection broke', async () => {
    const parts = [Buffer.from('no such to')];
    const pull = (body: ReadableStreamDefaultController): void => {
      const part = parts.shift();
      if (part) body.enqueue(part);
      else body.error(new TypeError('terminated'));
    };
    const body = new ReadableStream({ pull }, { highWaterMark: 0 });
    const server = new FakeServer().answer(() => new Response(body, { status: 400 }));
    const stream = plain(url, { fetch: server.fetch });
    await expect(stream.next()).rejects.toThrow('The server answered 400: no such to');
  });

  it('that is closed as soon as it was asked for a batch asks the server nothing', async () => {
    const server = new FakeServer().stream([batchLine(1)], 'e1');
    const stream = plain(url, { fetch: server.fetch });
    const next = stream.next();
    stream.close();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(server.requests.length).toBe(0);
  });

  it('does not notice that the machine slept: its timers go on', async () => {
    const clock = new VirtualClock();
    const server = new FakeServer().stream([{ Index: 4 }], 'e1');
    const stream = plain(url, { fetch: server.fetch, clock });
    void stream.next();
    await clock.advance(5_000);
    clock.sleep(3_600_000);
    await clock.advance(60_000);
    expect([server.requests.length, stream.state.name]).toEqual([1, 'live']);
    stream.close();
  });

  it('listens to a signal while it is open, and ends by it', async () => {
    const abort = new AbortController();
    const server = new FakeServer().stream([{ Index: 4 }], 'e1');
    const streams = [1, 2].map(() => plain(url, { fetch: server.fetch, signal: abort.signal }));
    const nexts = streams.map((stream) => stream.next());
    await settled();
    expect(getEventListeners(abort.signal, 'abort').length).toBe(2);
    streams[0]?.close();
    expect(getEventListeners(abort.signal, 'abort').length).toBe(1);
    abort.abort();
    expect(await Promise.all(nexts)).toEqual([1, 2].map(() => ({ done: true, value: undefined })));
    expect(streams.map((stream) => stream.state)).toEqual([{ name: 'closed' }, { name: 'closed' }]);
    expect(getEventListeners(abort.signal, 'abort').length).toBe(0);
  });
});

describe('a client without parts, of a real server,', () => {
  let broker: EventBroker;
  let server: Server;
  let here: string;
  /** What each request sent as its token. */
  let tokens: unknown[];
  /** Tokens that are let in; undefined: all are. */
  let allowed: readonly string[] | undefined;

  const publish = (key: string) => broker.publish({ topic: 'T', type: 't', key, payload: null });
  const options: StreamOptions = { minDelayMs: 1, maxDelayMs: 1 };

  beforeEach(async () => {
    broker = new EventBroker({ buffer: { maxBatches: 4 } });
    tokens = [];
    allowed = undefined;
    server = createServer((request, response) => {
      const token = request.headers['x-nomad-token'];
      tokens.push(token);
      if (allowed && !allowed.includes(String(token))) response.writeHead(403).end('Permission denied');
      else void eventStreamHandler({ broker })(request, response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    here = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/event/stream`;
  });

  afterEach(async () => {
    await broker.close();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  it('goes on after a cut with what comes next, each once', async () => {
    const stream = plain(here, options);
    await publish('a');
    expect((await stream.next()).value?.events[0]?.key).toBe('a');
    server.closeAllConnections();
    await publish('b');
    const { value } = await stream.next();
    expect([value?.index, value?.events[0]?.key, value?.gap]).toEqual([2, 'b', undefined]);
    expect(tokens.length).toBe(2);
    stream.close();
  });

  it('is told what left the buffer while it was away', async () => {
    const stream = plain(here, options);
    await publish('a');
    await stream.next();
    const { position } = stream;
    stream.close();
    for (const key of ['b', 'c', 'd', 'e', 'f', 'g']) await publish(key);
    const later = plain(here, { ...options, ...position });
    const { value } = await later.next();
    expect([value?.events[0]?.key, value?.gap]).toEqual(['d', { from: 2, to: 3, reason: 'trimmed' }]);
    later.close();
  });

  it('is told that the server has started anew', async () => {
    const stream = plain(here, options);
    await publish('a');
    await stream.next();
    const old = stream.position.epoch;
    await broker.close();
    broker = new EventBroker();
    await publish('z');
    const { value } = await stream.next();
    expect([value?.index, value?.events[0]?.key, value?.gap?.reason]).toEqual([1, 'z', 'restarted']);
    expect(stream.position.epoch).not.toBe(old);
    stream.close();
  });

  it('asks for its token again where one is denied, and ends at the second denial', async () => {
    allowed = ['good'];
    const answers = ['old', 'good', 'bad', 'worse'];
    const stream = plain(here, { ...options, token: () => answers.shift() });
    await publish('a');
    expect((await stream.next()).value?.events[0]?.key).toBe('a');
    server.closeAllConnections();
    await expect(stream.next()).rejects.toMatchObject({ code: 'permission_denied', status: 403 });
    expect(tokens).toEqual(['old', 'good', 'bad', 'worse']);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('reads a state where it is given the part for it', async () => {
    const stream = streamEventsWith({ state })(here, { ...options, topics: ['T'], state: true });
    await publish('a');
    const seen: unknown[] = [];
    while (!seen.includes(true)) seen.push((await stream.next()).value?.current);
    expect(stream.position.mark).toBeDefined();
    stream.close();
  });
});

describe('the parts of a client', () => {
  it('may be given in any order, and be left undefined', async () => {
    const clock = new VirtualClock();
    const server = new FakeServer()
      .stream([], 'e1')
      .stream([batchLine(8)], 'e1')
      .stream();
    const none: object = { signals: undefined };
    const make = streamEventsWith({ wakeUps, serverSentEvents, snapshots, nomad, state, checks, ...none });
    const snapshot = () => ({ value: 'v', index: 8, epoch: 'e1' });
    const stream = make(url, { fetch: server.fetch, clock, snapshot, random: () => 1 });
    expect((await stream.next()).value).toEqual({ index: 7, events: [], snapshot: 'v' });
    const next = stream.next();
    await clock.advance(12_500 + 250);
    expect((await next).value?.index).toBe(8);
    expect(server.requests.map(({ headers }) => headers.get('Accept'))).toEqual([null, 'text/event-stream']);
    stream.close();
    expect(clock.pending).toBe(0);
    expect(() => make('ftp://s3cret.test', { minDelayMs: 0 })).toThrow('minDelayMs must be');
    expect(() => make('ftp://s3cret.test', { state: true })).toThrow('The URL must be http');
  });
});
