import http from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Acl, AclResolver, defineTopics, EventBroker, MemoryAclStore, type EventBrokerOptions } from 'fenceline';
import { operatorHandler, type OperatorHandlerOptions, type OperatorReport } from 'fenceline/http';
import { FaultyAclStore } from 'fenceline/testing';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function makeStore(): FaultyAclStore {
  const records = new MemoryAclStore();
  records.upsertToken({ accessorId: 'root', secretId: 'root-secret', type: 'management' });
  records.upsertToken({ accessorId: 'alice', secretId: 'alice-secret', type: 'client', policies: [] });
  return new FaultyAclStore(records);
}

async function serve(
  options: Omit<OperatorHandlerOptions<http.IncomingMessage>, 'broker'> = {},
  { withAcl = true, ...more }: EventBrokerOptions & { readonly withAcl?: boolean } = {},
) {
  const store = makeStore();
  const broker = new EventBroker({ ...(withAcl && { acl: new AclResolver({ store }) }), ...more });
  const server = http.createServer(operatorHandler({ broker, ...options }));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  cleanups.push(
    () => server.close(),
    () => server.closeAllConnections(),
    () => broker.close(),
  );
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const ask = (query = '', token: string | undefined = 'root-secret', method = 'GET') =>
    fetch(url + query, { method, ...(token !== undefined && { headers: { 'X-Nomad-Token': token } }) });
  const report = async (query = ''): Promise<OperatorReport> => (await ask(query)).json() as Promise<OperatorReport>;
  return { broker, store, ask, report };
}

const event = { topic: 'Job', type: 'Made', key: 'a', payload: 'x' };

describe('the operator’s endpoint', () => {
  it('answers a management token with figures and streams', async () => {
    const { broker, ask } = await serve();
    await broker.subscribe({ topics: ['Job'], acl: Acl.management });
    await broker.publish(event);
    const response = await ask();
    expect(response.status).toBe(200);
    expect(response.headers.get('Content-Type')).toBe('application/json');
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    expect(response.headers.get('X-Content-Type-Options')).toBe('nosniff');
    const text = await response.text();
    expect(text).not.toContain('secret');
    expect(JSON.parse(text)).toEqual({
      stats: JSON.parse(JSON.stringify(broker.stats())) as unknown,
      streams: 1,
      states: { behind: 1 },
      waitingBytes: 0,
      shown: JSON.parse(JSON.stringify(broker.subscriptions())) as unknown,
    });
  });

  it.each([
    ['no token', ''],
    ['a client’s token', 'alice-secret'],
    ['an unknown token', 'guessed'],
  ])('answers %s with 403, and tells it nothing, be the query right or wrong', async (_, token) => {
    const { ask } = await serve();
    for (const query of ['', '?limit=nonsense', '?accessor=root']) {
      const response = await ask(query, token);
      expect(response.status).toBe(403);
      expect(await response.json()).toEqual({
        Error: { Code: 'permission_denied', Message: 'Permission denied.', Retry: 'resubscribe' },
      });
    }
  });

  it('fails closed where the store fails', async () => {
    const { ask, store } = await serve();
    store.failWith();
    expect((await ask()).status).toBe(503);
  });

  it('on a broker without acl it denies everybody, but whom the host itself lets in', async () => {
    const open = await serve({}, { withAcl: false });
    for (const token of ['', 'root-secret']) expect((await open.ask('', token)).status).toBe(403);
    const trusted = await serve({ acl: () => Acl.management }, { withAcl: false });
    expect((await trusted.ask('', '')).status).toBe(200);
    const failing = await serve({ acl: () => Promise.reject(new Error('of the host')) }, { withAcl: false });
    const response = await failing.ask();
    expect(response.status).toBe(503);
    expect(await response.text()).not.toContain('of the host');
  });

  it('asks the host where the token is', async () => {
    const { ask } = await serve({
      token: ({ url }) => new URL(url ?? '', 'http://a').searchParams.get('t') ?? undefined,
    });
    expect((await ask('?t=root-secret', '')).status).toBe(200);
    expect((await ask('', 'root-secret')).status).toBe(403);
  });

  it('lists those first that are furthest behind, and no more than it may', async () => {
    const { broker, report } = await serve({ maxStreams: 3 });
    for (let i = 0; i < 4; i++) await broker.publish(event);
    for (const index of [4, 1, 3, 2, 'latest'] as const) await broker.subscribe({ index, acl: Acl.management });
    const { streams, shown, states } = await report();
    expect(streams).toBe(5);
    expect(states).toEqual({ behind: 4, synced: 1 });
    expect(shown.map(({ lag }) => lag)).toEqual([4, 3, 2]);
    expect((await report('?limit=1')).shown.map(({ lag }) => lag)).toEqual([4]);
    expect((await report('?limit=99999')).shown).toHaveLength(3);
  });

  it('lists the streams of one accessor', async () => {
    const topics = defineTopics({ Job: { requires: 'anyone' } });
    const { broker, report } = await serve({}, { topics });
    for (const accessorId of ['a', 'b', 'a'])
      await broker.subscribe({ topics: ['Job'], acl: Acl.fromRules([], { accessorId }) });
    expect((await report('?accessor=a')).streams).toBe(2);
    expect((await report('?accessor=nobody')).shown).toEqual([]);
  });

  it('stays bounded with thousands of streams', async () => {
    const { broker, ask } = await serve();
    for (let i = 0; i < 5000; i++) await broker.subscribe({ topics: [`Job:${i}`], acl: Acl.management });
    const text = await (await ask()).text();
    const { streams, shown } = JSON.parse(text) as OperatorReport;
    expect([streams, shown.length]).toEqual([5000, 500]);
    expect(text.length).toBeLessThan(150_000);
  });

  it.each(['0', '-1', '1.5', 'all', ''])('refuses limit=%s', async (limit) => {
    const { ask } = await serve();
    const response = await ask(`?limit=${limit}`);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('limit');
  });

  it('asks nothing for requests behind an answer that is not over; with thousands the connection closes', async () => {
    let asked = 0;
    const acl = (): Acl => {
      asked++;
      return Acl.management;
    };
    const broker = new EventBroker();
    const operator = operatorHandler({ broker, acl });
    const server = http.createServer((request, response) => {
      // What comes first has no end, as a stream has none.
      if (request.url === '/stream') response.write('begun');
      else void operator(request, response);
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    cleanups.push(
      () => server.close(),
      () => server.closeAllConnections(),
      () => broker.close(),
      () => socket.destroy(),
    );
    const closed = new Promise((resolve) => socket.on('close', resolve).on('error', resolve));
    socket.resume();
    socket.write('GET /stream HTTP/1.1\r\nHost: h\r\n\r\n');
    socket.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n'.repeat(5000));
    await closed;
    expect(asked).toBe(0);
  });

  it('answers GET, HEAD and OPTIONS, and no other method', async () => {
    const { ask } = await serve();
    const head = await ask('', 'root-secret', 'HEAD');
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect((await ask('', '', 'HEAD')).status).toBe(403);
    const options = await ask('', '', 'OPTIONS');
    expect([options.status, options.headers.get('Allow')]).toEqual([204, 'GET, HEAD, OPTIONS']);
    const post = await ask('', 'root-secret', 'POST');
    expect([post.status, post.headers.get('Allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
  });

  it.each([
    [{}, /needs a broker/],
    [{ broker: new EventBroker(), maxStreams: 0 }, /maxStreams/],
    [{ broker: new EventBroker(), maxStream: 5 }, /"maxStream".*maxStreams/],
    [{ broker: new EventBroker(), token: 'secret' }, /token must be a function/],
    [{ broker: new EventBroker(), token: () => '', acl: () => Acl.management }, /acl or token/],
  ])('refuses a mistake when it is made: %#', (options, message) => {
    expect(() => operatorHandler(options as never)).toThrow(message);
  });
});
