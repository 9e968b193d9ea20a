import { describe, expect, expectTypeOf, it } from 'vitest';
import { type StreamOptions, type StreamState, streamEvents } from '../../src/client/index.ts';
import { payloadOf } from '../../src/model/topic-types.ts';
import { defineTopics } from '../../src/model/topics.ts';
import { batchLine, errorLine, FakeServer, gapLine } from './fake-server.ts';
import { asked, failure, indexes, open, type Setting, url } from './stream-setting.ts';
import { settled } from './virtual-clock.ts';

const names = (states: readonly StreamState[]): string[] => states.map(({ name }) => name);

describe('a stream asks the server', () => {
  it('for what the options say', async () => {
    const options: StreamOptions = {
      topics: ['Job:web', 'Node'],
      namespace: ['a', 'b'],
      index: 5,
      epoch: 'e',
      onGap: 'fail',
    };
    const setting = open(new FakeServer().stream([batchLine(5)], 'e'), {
      ...options,
      token: 's3cret',
      headers: { 'X-Mine': 'yes' },
    });
    await indexes(setting, 1);
    const [request] = setting.server.requests;
    expect(request?.query.toString()).toBe(
      'topic=Job%3Aweb&topic=Node&namespace=a&namespace=b&bookmarks=true&gap=fail&index=5&epoch=e',
    );
    expect(Object.fromEntries(request?.headers ?? [])).toEqual({ 'x-nomad-token': 's3cret', 'x-mine': 'yes' });
  });

  it('for everything from the backlog on when nothing is said', async () => {
    const setting = open(new FakeServer().stream([batchLine(5)]));
    await indexes(setting, 1);
    expect(setting.server.requests[0]?.url.href).toBe(`${url}?bookmarks=true&index=0`);
    expect([...(setting.server.requests[0]?.headers ?? [])]).toEqual([]);
  });

  it('for topics given as an object of keys', async () => {
    const setting = open(new FakeServer().stream([batchLine(5)]), { topics: { Job: ['web', 'api:1'], Node: ['*'] } });
    await indexes(setting, 1);
    expect(setting.server.requests[0]?.query.getAll('topic')).toEqual(['Job:web', 'Job:api:1', 'Node:*']);
  });

  it('keeps the query of the URL it was given', async () => {
    const server = new FakeServer().stream([batchLine(5)]);
    await streamEvents(`${url}?region=eu`, { fetch: server.fetch, index: 'latest' }).next();
    expect(server.requests[0]?.url.search).toBe('?region=eu&bookmarks=true&index=latest');
  });

  it('nothing before the first batch is asked for', async () => {
    const { server, stream } = open(new FakeServer().stream());
    await settled();
    expect([server.requests.length, stream.state.name]).toEqual([0, 'connecting']);
  });

  it('without following a redirect that would carry the token elsewhere', async () => {
    const server = new FakeServer().stream([batchLine(5)]);
    await indexes(open(server, { token: 's3cret' }), 1);
    await indexes(open(server), 1);
    expect(server.requests.map(({ redirect }) => redirect)).toEqual(['manual', 'follow']);
  });

  it.each<[string, StreamOptions | string]>([
    ['an empty object of topics', { topics: {} }],
    ['topics that are a string', { topics: 'Order' as unknown as readonly string[] }],
    ['a topic that is no string', { topics: [7] as unknown as readonly string[] }],
    ['keys that are a string', { topics: { Job: 'web' as unknown as readonly string[] } }],
    ['an option that is not known', { topic: ['Job'] } as StreamOptions],
    ['a token that no header can carry', { token: 's3cret\nline' }],
    ['a header that no header can carry', { headers: { Authorization: 's3cret\nline' } }],
    ['a topic without keys', { topics: { Job: [] } }],
    ['a delay of 0', { minDelayMs: 0 }],
    ['a delay that is no number', { maxDelayMs: Number.NaN }],
    ['a negative heartbeat', { heartbeatMs: -1 }],
    ['a line length of 0', { maxLineBytes: 0 }],
    ['a scheme that is not HTTP', 'ftp://server.test/'],
    ['a password in the URL', 'http://user:secret@server.test/'],
    ['an URL that is none', '/v1/event/stream'],
  ])('%s is a mistake of the caller', (_, mistake) => {
    const call = () => (typeof mistake === 'string' ? streamEvents(mistake) : streamEvents(url, mistake));
    expect(call).toThrow(TypeError);
    expect(call).not.toThrow(/s3cret/);
  });

  it('says what was meant, where an option is misspelt or of the wrong kind', () => {
    const call = (options: object) => () => streamEvents(url, options);
    expect(call({ topic: ['Job'] })).toThrow('streamEvents has no option "topic". Did you mean "topics"?');
    expect(call({ topics: 'Order' })).toThrow('topics must be a list such as ["Job:web"]');
    expect(call({ headers: { 'X-Mine': 'ä→' } })).toThrow('headers["X-Mine"]');
  });
});

describe('a stream hands over', () => {
  it('batches as a subscriber in process gets them', async () => {
    const { stream } = open(new FakeServer().stream([{}, batchLine(7)]));
    const event = { topic: 'T', type: 't', key: 'k7', namespace: '', filterKeys: [], index: 7, payload: { n: 7 } };
    expect(await stream.next()).toEqual({ done: false, value: { index: 7, events: [event] } });
  });

  it('events typed by the topics that the host declared', () => {
    const topics = defineTopics({
      Order: { payload: payloadOf<{ total: number }>() },
      Audit: { payload: payloadOf<string>() },
      Sale: { aliasOf: 'Order' },
    });
    type Batch = Awaited<ReturnType<ReturnType<typeof streamEvents<typeof topics>>['next']>>['value'];
    type Event = NonNullable<Batch>['events'][number];
    expectTypeOf<Extract<Event, { topic: 'Order' }>['payload']>().toEqualTypeOf<{ total: number }>();
    expectTypeOf<Event['topic']>().toEqualTypeOf<'Order' | 'Audit'>();
    expectTypeOf<'Sale:7'>().toExtend<Extract<StreamOptions<typeof topics>['topics'], readonly unknown[]>[number]>();
    expectTypeOf<'Oder'>().not.toExtend<Extract<StreamOptions<typeof topics>['topics'], readonly unknown[]>[number]>();
  });

  it('overlapping calls of next in their order', async () => {
    const { stream } = open(new FakeServer().stream([batchLine(1), batchLine(2), batchLine(3)]));
    const results = await Promise.all([stream.next(), stream.next(), stream.next()]);
    expect(results.map(({ value }) => value?.index)).toEqual([1, 2, 3]);
  });

  it('one chunk at a time: nothing is read from the network that was not asked for', async () => {
    const { server, stream } = open(new FakeServer().stream([batchLine(1), batchLine(2)], 'e1'));
    const pulls = async (): Promise<number | undefined> => {
      await stream.next();
      await settled();
      return server.connections[0]?.pulls;
    };
    const first = await pulls();
    expect(await pulls()).toBe(first);
    server.connections[0]?.send(batchLine(3)).send(batchLine(4));
    expect(stream.position).toEqual({ index: 3, epoch: 'e1' });
    await pulls();
    expect(stream.position).toEqual({ index: 4, epoch: 'e1' });
  });
});

describe('after a cut the stream', () => {
  it('goes on after the last batch handed over, in the same epoch', async () => {
    const server = new FakeServer().ending([{}, batchLine(5), batchLine(6)], 'e1').stream([batchLine(7)], 'e1');
    const setting = open(server);
    expect(await indexes(setting, 3)).toEqual([5, 6, 7]);
    expect([asked(server, 'index'), asked(server, 'epoch')]).toEqual([
      ['0', '7'],
      [null, 'e1'],
    ]);
  });

  it('asks again for the batch whose line was cut', async () => {
    const server = new FakeServer().ending([batchLine(5), '{"Index":6,"Eve'], 'e1').stream([batchLine(6)], 'e1');
    expect(await indexes(open(server), 2)).toEqual([5, 6]);
    expect(asked(server, 'index')).toEqual(['0', '6']);
  });

  it('hands over what came whole before the connection broke', async () => {
    const server = new FakeServer().stream([batchLine(5), batchLine(6)]).stream([batchLine(7)]);
    const setting = open(server);
    expect(await indexes(setting, 1)).toEqual([5]);
    server.connections[0]?.cut();
    expect(await indexes(setting, 2)).toEqual([6, 7]);
  });

  it('passes over blank lines and carriage returns', async () => {
    const line = JSON.stringify(batchLine(5));
    expect(await indexes(open(new FakeServer().stream(['\n\r\n', `${line}\r\n`, ' \n', batchLine(6)])), 2)).toEqual([
      5, 6,
    ]);
  });

  it('goes on after a bookmark', async () => {
    const server = new FakeServer().ending([batchLine(5), { Index: 812 }]).stream([batchLine(813)]);
    expect(await indexes(open(server), 2)).toEqual([5, 813]);
    expect(asked(server, 'index')).toEqual(['0', '813']);
  });

  it('takes an index without an epoch for nothing that it knows until the server has judged it', async () => {
    const server = new FakeServer().ending([{}], 'e1').stream([gapLine(1, 50, 'ahead'), batchLine(1)], 'e1');
    const setting = open(server, { index: 51 });
    const next = setting.stream.next();
    await setting.clock.advance(1_000);
    expect((await next).value).toMatchObject({ index: 1, gap: { from: 1, to: 50, reason: 'ahead' } });
    expect([asked(server, 'index'), asked(server, 'epoch')]).toEqual([
      ['51', '51'],
      [null, null],
    ]);
  });

  it('waits longer each time that nothing came, and starts over when something did', async () => {
    const server = new FakeServer();
    for (let i = 0; i < 4; i++) server.ending([]);
    server
      .ending([{}, batchLine(1)], 'e1')
      .ending([], 'e1')
      .stream([batchLine(2)], 'e1');
    const setting = open(server, { minDelayMs: 100, maxDelayMs: 500 });
    expect(await indexes(setting, 2)).toEqual([1, 2]);
    const delays = setting.states.map((state) => state.name === 'waiting' && state.delayMs).filter(Boolean);
    expect(delays).toEqual([100, 200, 400, 500, 150, 100]);
  });

  it.each<[string, readonly unknown[]]>([
    ['a heartbeat', [{}]],
    ['a bookmark that is no news', [{ Index: 0 }]],
    ['a repeated batch', [batchLine(5)]],
  ])('does not wait longer each time for a connection that was heard and cut: %s', async (_, parts) => {
    const server = new FakeServer();
    for (let i = 0; i < 6; i++) server.ending(parts, 'e1');
    const setting = open(server.stream([batchLine(6)], 'e1'), { minDelayMs: 100, index: 6, epoch: 'e1' });
    expect(await indexes(setting, 1)).toEqual([6]);
    const delays = setting.states.map((state) => state.name === 'waiting' && state.delayMs).filter(Boolean);
    expect(delays).toEqual([150, 150, 150, 150, 150, 150]);
  });

  it('asks a server that sends a heartbeat and cuts no oftener than each half of minDelayMs', async () => {
    const setting = open(new FakeServer().ending([{}]), { minDelayMs: 100, random: () => 0 });
    void setting.stream.next();
    await setting.clock.advance(10_000);
    expect(setting.server.requests.length).toBe(201);
    setting.stream.close();
  });

  it('shows each state, with the reason for waiting', async () => {
    const server = new FakeServer().answer(() => Promise.reject(new TypeError('fetch failed'))).stream([batchLine(1)]);
    const setting = open(server, { minDelayMs: 100 });
    await indexes(setting, 1);
    setting.stream.close();
    expect(names(setting.states)).toEqual(['waiting', 'connecting', 'live', 'closed']);
    expect(setting.states[0]).toMatchObject({
      delayMs: 100,
      reason: { code: 'network', cause: { message: 'fetch failed' } },
    });
    expect(setting.stream.state).toEqual({ name: 'closed' });
  });

  it('is followed by another reader from the position that was kept', async () => {
    const first = open(new FakeServer().stream([batchLine(5), batchLine(6)], 'e1'));
    await first.stream.next();
    const second = open(new FakeServer().stream([batchLine(6)], 'e1'), first.stream.position);
    expect(await indexes(second, 1)).toEqual([6]);
    expect(second.server.requests[0]?.url.search).toBe('?bookmarks=true&index=6&epoch=e1');
  });
});

describe('Retry-After', () => {
  it.each([
    ['7', 503],
    ['Thu, 01 Jan 1970 00:00:07 GMT', 429],
  ])('%s is waited for, and the spread comes on top', async (header, status) => {
    const server = new FakeServer().refusal(status, 'busy', { 'Retry-After': header }).stream([batchLine(1)]);
    const setting = open(server, { minDelayMs: 100 });
    const next = setting.stream.next();
    await setting.clock.advance(7_099);
    expect(server.requests.length).toBe(1);
    await setting.clock.advance(1);
    expect(server.requests.length).toBe(2);
    await next;
    expect(setting.states[0]).toMatchObject({ delayMs: 7_100, reason: { status, retryAfterMs: 7_000 } });
  });
});

describe('a dead peer', () => {
  it('is given up on after 2.5 heartbeats without a byte', async () => {
    const setting = open(new FakeServer().stream([{}]), { heartbeatMs: 10_000, minDelayMs: 100 });
    void setting.stream.next();
    await setting.clock.advance(24_999);
    expect(setting.stream.state).toEqual({ name: 'live' });
    await setting.clock.advance(1);
    expect(setting.stream.state).toMatchObject({ name: 'waiting', reason: { code: 'timeout' } });
    expect(setting.server.connections[0]?.isFreed).toBe(true);
    await setting.clock.advance(150);
    expect(setting.server.requests.length).toBe(2);
  });

  it('is not one that sends heartbeats, nor half a line at a time', async () => {
    const setting = open(new FakeServer().stream([{}]), { heartbeatMs: 10_000 });
    const next = setting.stream.next();
    const line = `${JSON.stringify(batchLine(1))}\n`;
    for (const part of ['{}\n', '{}\n', line.slice(0, 9), line.slice(9, 20)]) {
      await setting.clock.advance(24_000);
      setting.server.connections[0]?.send(part);
    }
    await setting.clock.advance(24_000);
    setting.server.connections[0]?.send(line.slice(20));
    expect((await next).value?.index).toBe(1);
  });

  it('is not one that is slow to be read: time counts only while bytes are waited for', async () => {
    const setting = open(new FakeServer().stream([batchLine(1)]));
    await setting.stream.next();
    await setting.clock.advance(3_600_000);
    setting.server.connections[0]?.send(batchLine(2));
    expect((await setting.stream.next()).value?.index).toBe(2);
    expect(setting.server.requests.length).toBe(1);
  });

  it.each<[string, StreamOptions & { readonly silent?: boolean }]>([
    ['a server that never answers', { silent: true }],
    ['a token that never comes', { token: () => new Promise(() => {}) }],
  ])('is %s', async (_, { silent, ...options }) => {
    const server = silent ? new FakeServer().answer(() => new Promise(() => {})) : new FakeServer().stream();
    const setting = open(server, { heartbeatMs: 10_000, ...options });
    void setting.stream.next();
    await setting.clock.advance(25_000);
    expect(setting.stream.state).toMatchObject({ name: 'waiting', reason: { code: 'timeout' } });
  });
});

describe('a token', () => {
  it('is asked for before each connection', async () => {
    const server = new FakeServer().ending([batchLine(1)]).stream([batchLine(2)]);
    let count = 0;
    await indexes(open(server, { token: async () => `t${++count}` }), 2);
    expect(server.requests.map(({ headers }) => headers.get('x-nomad-token'))).toEqual(['t1', 't2']);
  });

  it('is asked for anew when the stream says that it is revoked, and the stream goes on', async () => {
    const server = new FakeServer()
      .ending([batchLine(1), errorLine('acl_revoked', 'resubscribe')])
      .stream([batchLine(2)]);
    const tokens = ['old', 'new'];
    expect(await indexes(open(server, { token: () => tokens.shift() }), 2)).toEqual([1, 2]);
    expect(server.requests.map(({ headers }) => headers.get('x-nomad-token'))).toEqual(['old', 'new']);
  });

  it.each([
    ['text, as of Nomad', 'Permission denied'],
    ['the error object', errorLine('permission_denied', 'resubscribe')],
  ])('denied twice in a row ends the stream with the reason (%s)', async (_, body) => {
    const setting = open(new FakeServer().refusal(403, body), { token: 's3cret' });
    const error = await failure(setting);
    expect(error).toMatchObject({ name: 'StreamError', code: 'permission_denied', status: 403, retry: 'resubscribe' });
    expect(setting.server.requests.length).toBe(2);
    expect(setting.stream.state).toEqual({ name: 'closed', reason: error });
    expect(await setting.stream.next()).toEqual({ done: true, value: undefined });
  });

  it('denied once in a while is no reason to give up', async () => {
    const server = new FakeServer();
    for (let i = 1; i <= 3; i++) server.refusal(403).ending([batchLine(i)]);
    expect(await indexes(open(server.stream([batchLine(4)])), 4)).toEqual([1, 2, 3, 4]);
  });

  it('denied, then a busy server, then denied again, ends the stream', async () => {
    const server = new FakeServer()
      .refusal(403)
      .refusal(503)
      .refusal(403)
      .stream([batchLine(1)]);
    expect(await failure(open(server))).toMatchObject({ code: 'permission_denied' });
  });

  it('revoked at once by a server that always takes it back is asked for ever more slowly', async () => {
    const setting = open(new FakeServer().ending([{}, errorLine('acl_revoked', 'resubscribe')]), { minDelayMs: 100 });
    void setting.stream.next();
    await setting.clock.advance(100 + 200 + 400 + 800);
    expect(setting.server.requests.length).toBe(5);
    setting.stream.close();
  });

  it('that cannot be had is asked for again', async () => {
    let calls = 0;
    const token = () => (calls++ ? 't' : Promise.reject(new Error('login is down')));
    const setting = open(new FakeServer().stream([batchLine(1)]), { token });
    expect(await indexes(setting, 1)).toEqual([1]);
    expect(setting.states[0]).toMatchObject({ reason: { code: 'token_failed', cause: { message: 'login is down' } } });
  });

  it('that no header can carry ends the stream without being printed', async () => {
    const error = await failure(open(new FakeServer().stream(), { token: () => 's3cret\nline' }));
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error.stack)).not.toContain('s3cret');
  });
});

describe('the stream gives up', () => {
  it.each([
    [400, errorLine('bad_request', 'never'), 'bad_request', 'bad_request happened'],
    [405, errorLine('method_not_allowed', 'never'), 'method_not_allowed', 'method_not_allowed happened'],
    [410, errorLine('gap', 'resubscribe'), 'gap', 'gap happened'],
    [501, errorLine('not_supported', 'never'), 'not_supported', 'not_supported happened'],
    [404, 'page not found', 'http_status', 'The server answered 404: page not found'],
    [400, '', 'http_status', 'The server answered 400: '],
    [302, '', 'http_status', 'The server answered 302: '],
  ])('at once at %i %j, and says why', async (status, body, code, message) => {
    const setting = open(new FakeServer().refusal(status, body));
    expect(await failure(setting)).toMatchObject({ code, message, status });
    expect(setting.server.requests.length).toBe(1);
    expect(setting.clock.pending).toBe(0);
  });

  it('when the stream itself says never', async () => {
    const setting = open(new FakeServer().ending([batchLine(1), errorLine('bad_request', 'never')]));
    expect(await indexes(setting, 1)).toEqual([1]);
    const error = await failure(setting);
    expect([error.code, error.status]).toEqual(['bad_request', undefined]);
  });

  it('at a line longer than it accepts', async () => {
    const setting = open(new FakeServer().stream(['x'.repeat(101)]), { maxLineBytes: 100 });
    expect(await failure(setting)).toMatchObject({ code: 'line_too_long' });
    expect(setting.server.connections[0]?.isFreed).toBe(true);
  });

  it('after 8 connections in a row that end at a line that nobody can read', async () => {
    const setting = open(new FakeServer().ending(['<!doctype html>\n']));
    expect(await failure(setting)).toMatchObject({ code: 'malformed' });
    expect(setting.server.requests.length).toBe(8);
  });

  it('not when such a line comes now and then', async () => {
    const server = new FakeServer();
    for (let i = 1; i <= 20; i++) server.ending([batchLine(i), 'garbage\n']);
    expect((await indexes(open(server), 20)).length).toBe(20);
  });
});

describe('the stream does not give up', () => {
  it.each([408, 425, 429, 500, 502, 503, 504])('at %i', async (status) => {
    const server = new FakeServer()
      .refusal(status)
      .refusal(status)
      .stream([batchLine(1)]);
    expect(await indexes(open(server), 1)).toEqual([1]);
  });

  it.each([
    ['closed', 'resume'],
    ['acl_unavailable', 'resume'],
    ['slow', 'resubscribe'],
    ['from_a_later_version', 'later'],
  ])('when the stream ends with %s (%s)', async (code, retry) => {
    const server = new FakeServer().ending([batchLine(1), errorLine(code, retry)], 'e1').stream([batchLine(2)], 'e1');
    expect(await indexes(open(server), 2)).toEqual([1, 2]);
    expect(asked(server, 'index')).toEqual(['0', '2']);
  });
});

describe('a gap', () => {
  it('stands on the next batch', async () => {
    const { stream } = open(new FakeServer().stream([gapLine(5, 20, 'trimmed'), batchLine(21), batchLine(22)]), {
      index: 5,
    });
    expect((await stream.next()).value?.gap).toEqual({ from: 5, to: 20, reason: 'trimmed' });
    expect((await stream.next()).value).not.toHaveProperty('gap');
  });

  it('is told once, by the next batch, when the connection breaks in between', async () => {
    const server = new FakeServer().ending([gapLine(5, 20, 'trimmed')]).stream([batchLine(21)]);
    const setting = open(server, { index: 5 });
    const next = setting.stream.next();
    await setting.clock.advance(1_000);
    expect((await next).value?.gap).toEqual({ from: 5, to: 20, reason: 'trimmed' });
    expect(asked(server, 'index')).toEqual(['5', '21']);
  });

  it('goes to a function at once, also when no batch follows', async () => {
    const gaps: unknown[] = [];
    const { stream } = open(new FakeServer().stream([gapLine(5, 20, 'slow')]), { onGap: (gap) => gaps.push(gap) });
    void stream.next();
    await settled();
    expect(gaps).toEqual([{ from: 5, to: 20, reason: 'slow' }]);
    expect(stream.position).toEqual({ index: 21 });
    stream.close();
  });

  it('ends the stream when the reader wants none', async () => {
    const setting = open(new FakeServer().stream([gapLine(5, 20, 'trimmed'), batchLine(21)]), {
      onGap: 'fail',
      index: 5,
    });
    const error = await failure(setting);
    expect(error).toMatchObject({ code: 'gap', gap: { from: 5, to: 20, reason: 'trimmed' } });
    expect([setting.stream.position, setting.server.connections[0]?.isFreed]).toEqual([{ index: 5 }, true]);
  });

  it.each(['gap', 'slow', 'restarted'])('ends the stream at the error %s when the reader wants none', async (code) => {
    const setting = open(new FakeServer().ending([errorLine(code, 'resubscribe')]), { onGap: 'fail' });
    expect(await failure(setting)).toMatchObject({ code });
  });

  it('of a restart starts the numbering over, and asks on in the new epoch', async () => {
    const server = new FakeServer()
      .ending([batchLine(100)], 'old')
      .ending([gapLine(101, 101, 'restarted'), batchLine(1), batchLine(2)], 'new')
      .stream([batchLine(3)], 'new');
    expect(await indexes(open(server), 4)).toEqual([100, 1, 2, 3]);
    expect([asked(server, 'index'), asked(server, 'epoch')]).toEqual([
      ['0', '101', '3'],
      [null, 'old', 'new'],
    ]);
  });

  it('of a restart is asked for again when the connection breaks before it is told', async () => {
    const server = new FakeServer()
      .ending([batchLine(100)], 'old')
      .ending([{}], 'new')
      .stream([gapLine(101, 101, 'restarted'), batchLine(1)], 'new');
    expect(await indexes(open(server), 2)).toEqual([100, 1]);
    expect(asked(server, 'epoch')).toEqual([null, 'old', 'old']);
  });
});

describe('closing', () => {
  const ways: Record<string, (setting: Setting, abort: AbortController) => unknown> = {
    close: ({ stream }) => stream.close(),
    return: ({ stream }) => stream.return(),
    signal: (_, abort) => abort.abort(),
  };
  const moments: Record<string, FakeServer> = {
    'while a batch is waited for': new FakeServer().stream([{}]),
    'while the server is asked': new FakeServer().answer(() => new Promise(() => {})),
    'while waiting to ask again': new FakeServer().refusal(503, '', { 'Retry-After': '60' }),
  };

  describe.each(Object.entries(ways))('by %s', (_, close) => {
    it.each(Object.entries(moments))('%s ends a pending next quietly and leaves no timer', async (_moment, server) => {
      const abort = new AbortController();
      const setting = open(server, { signal: abort.signal });
      const next = setting.stream.next();
      await settled();
      await close(setting, abort);
      expect(await next).toEqual({ done: true, value: undefined });
      expect(setting.clock.pending).toBe(0);
      expect(setting.stream.state).toEqual({ name: 'closed' });
      expect(server.connections.at(-1)?.isFreed).toBe(true);
      expect(await setting.stream.next()).toEqual({ done: true, value: undefined });
    });

    it('while the reader is busy frees the connection at once', async () => {
      const abort = new AbortController();
      const setting = open(new FakeServer().stream([batchLine(1), batchLine(2)]), { signal: abort.signal });
      await setting.stream.next();
      await close(setting, abort);
      expect(setting.server.connections[0]?.isFreed).toBe(true);
      expect((await setting.stream.next()).done).toBe(true);
    });
  });

  it('cancels the body too, for a fetch that does not mind its signal', async () => {
    const { server, stream } = open(new FakeServer().stream([batchLine(1)]));
    await stream.next();
    stream.close();
    expect(server.connections[0]?.isCancelled).toBe(true);
  });

  it('by leaving the loop frees the connection', async () => {
    const { server, stream } = open(new FakeServer().stream([batchLine(1), batchLine(2)]));
    for await (const { index } of stream) if (index === 1) break;
    expect([server.connections[0]?.isFreed, stream.state.name]).toEqual([true, 'closed']);
  });

  it('before the first batch asks the server nothing', async () => {
    const { server, stream } = open(new FakeServer().stream(), { signal: AbortSignal.abort() });
    expect([(await stream.next()).done, server.requests.length]).toEqual([true, 0]);
  });

  it.each(['token', 'onState'] as const)('from within %s ends it quietly', async (name) => {
    const closing = { stream: undefined as ReturnType<typeof streamEvents> | undefined };
    const setting = open(new FakeServer().stream([batchLine(1)]), { [name]: () => closing.stream?.close() });
    closing.stream = setting.stream;
    const next = setting.stream.next();
    await setting.clock.advance(0);
    expect([(await next).done, setting.clock.pending, setting.stream.state.name]).toEqual([true, 0, 'closed']);
  });

  it('is told to the watcher once', async () => {
    const { stream, states } = open(new FakeServer().stream([batchLine(1)]));
    await stream.next();
    stream.close();
    stream.close();
    await stream.return();
    expect(names(states)).toEqual(['live', 'closed']);
  });
});

describe('a callback that throws', () => {
  const mistake = new Error('mine');
  const fail = () => {
    throw mistake;
  };

  it.each<[string, StreamOptions]>([
    ['onGap', { onGap: fail }],
    ['onState', { onState: (state) => (state.name === 'live' ? fail() : undefined) }],
    ['onState, while waiting', { onState: (state) => (state.name === 'waiting' ? fail() : undefined) }],
  ])('ends the stream with its own error: %s', async (name, options) => {
    const server = name.endsWith('waiting')
      ? new FakeServer().ending([])
      : new FakeServer().stream([gapLine(5, 20, 'slow')]);
    const setting = open(server, options);
    expect(await failure(setting)).toBe(mistake);
    expect([setting.stream.state.name, setting.clock.pending]).toEqual(['closed', 0]);
    expect(server.connections[0]?.isFreed).toBe(true);
  });
});
