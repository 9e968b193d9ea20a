import http from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import {
  Acl,
  AclDenial,
  AclResolver,
  BrokerError,
  defineTopics,
  EventBroker,
  MemoryAclStore,
  type DenialNotice,
  type PolicyRules,
} from 'fenceline';
import { operatorFetchHandler, topicsFetchHandler } from 'fenceline/fetch';
import { operatorHandler, topicsHandler, type TopicsHandlerOptions, type TopicsReport } from 'fenceline/http';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const topics = defineTopics({
  Order: { requires: { namespace: 'read-orders' }, types: ['OrderPlaced', 'OrderShipped'], retain: 'latest' },
  Shipped: { requires: { namespace: 'read-orders' }, aliasOf: 'Order', types: ['OrderShipped'] },
  Stock: { requires: { namespace: 'read-stock' } },
  News: { requires: 'anyone' },
  Audit: {},
});
const namesOf = ({ topics: listed }: TopicsReport): readonly string[] => listed.map(({ name }) => name);

async function makeBroker() {
  const store = new MemoryAclStore();
  const rules: PolicyRules = { namespace: { acme: { capabilities: ['read-orders'] } } };
  await store.upsertPolicy({ name: 'orders', rules });
  store.upsertToken({ accessorId: 'root', secretId: 'root-secret', type: 'management' });
  store.upsertToken({ accessorId: 'alice', secretId: 'alice-secret', type: 'client', policies: ['orders'] });
  const broker = new EventBroker({ topics, acl: new AclResolver({ store }) });
  cleanups.push(() => broker.close());
  return broker;
}

/** The endpoint over Node, and over fetch. */
const mounts = {
  async node(options: object) {
    const server = http.createServer(topicsHandler(options as TopicsHandlerOptions<http.IncomingMessage>));
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    cleanups.push(
      () => server.close(),
      () => server.closeAllConnections(),
    );
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    return (init: RequestInit) => fetch(url, init);
  },
  async fetch(options: object) {
    const handle = topicsFetchHandler(options as TopicsHandlerOptions<Request>);
    return (init: RequestInit) => handle(new Request('http://host/', init));
  },
};

describe.each(Object.entries(mounts))('the list of topics over %s', (_, mount) => {
  const asker = async (options: object = {}) => {
    const broker = await makeBroker();
    const ask = await mount({ broker, ...options });
    const withToken = (token: string, method = 'GET') => ask({ method, headers: { 'X-Nomad-Token': token } });
    const listFor = async (token: string) => (await (await withToken(token)).json()) as TopicsReport;
    return { broker, ask, withToken, listFor };
  };

  it('has what a token may see something of, as it was declared', async () => {
    const { withToken, listFor } = await asker();
    expect(await listFor('alice-secret')).toEqual({
      topics: [
        { name: 'Order', types: ['OrderPlaced', 'OrderShipped'], isRetained: true },
        { name: 'Shipped', types: ['OrderShipped'], isRetained: true },
        { name: 'News', types: [], isRetained: false },
      ],
    });
    expect(namesOf(await listFor('root-secret'))).toEqual(['Order', 'Shipped', 'Stock', 'News', 'Audit']);
    const { headers } = await withToken('alice-secret');
    expect(headers.get('Content-Type')).toBe('application/json');
    expect(headers.get('Cache-Control')).toBe('no-store');
  });

  it('tells who is not known nothing, and the host that it was asked', async () => {
    const { broker, withToken } = await asker();
    const denials: DenialNotice[] = [];
    broker.on('denied', (notice) => denials.push(notice));
    const response = await withToken('guessed');
    expect(response.status).toBe(403);
    expect(await response.json()).toEqual({
      Error: { Code: 'permission_denied', Message: 'Permission denied.', Retry: 'resubscribe' },
    });
    expect(denials).toHaveLength(1);
  });

  it('goes by the host’s own rights and token, and within what the host has pinned', async () => {
    const rights = Acl.fromRules([{ namespace: { '*': { capabilities: ['read-stock'] } } }]);
    const own = await asker({ acl: () => rights });
    expect(namesOf(await own.listFor('root-secret'))).toEqual(['Stock', 'News']);
    const found = await asker({ token: () => 'alice-secret' });
    expect(namesOf(await found.listFor('root-secret'))).toEqual(['Order', 'Shipped', 'News']);
    const pinned = await asker({ pin: () => ({ topics: ['Order', 'Stock:a'], namespace: 'acme' }) });
    expect(namesOf(await pinned.listFor('alice-secret'))).toEqual(['Order']);
    const elsewhere = await asker({ pin: () => ({ namespace: 'umbrella' }) });
    expect(namesOf(await elsewhere.listFor('alice-secret'))).toEqual(['News']);
    const denied = await asker({ acl: () => Promise.reject(new AclDenial('unknown')) });
    expect((await denied.withToken('root-secret')).status).toBe(403);
  });

  it('answers GET, HEAD and OPTIONS, and no other method', async () => {
    const { ask, withToken } = await asker();
    const head = await withToken('alice-secret', 'HEAD');
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect((await ask({ method: 'OPTIONS' })).status).toBe(204);
    const post = await withToken('alice-secret', 'POST');
    expect([post.status, post.headers.get('Allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
  });
});

describe('readableTopics', () => {
  it('has exactly the topics that could be subscribed to with scope: allowed', async () => {
    const broker = new EventBroker({ topics });
    const capability = fc.subarray(['read-orders', 'read-stock', 'deny']);
    const rules = fc.dictionary(fc.constantFrom('acme', 'default', '*', 'a*'), capability, { maxKeys: 3 });
    const maySubscribe = async (name: string, acl: Acl): Promise<boolean> => {
      try {
        (await broker.subscribe({ topics: [name as 'News'], acl, scope: 'allowed' })).close();
        return true;
      } catch (error) {
        expect(BrokerError.is(error) && error.code).toBe('permission_denied');
        return false;
      }
    };
    await fc.assert(
      fc.asyncProperty(rules, fc.boolean(), async (namespaces, management) => {
        const namespace = Object.fromEntries(
          Object.entries(namespaces).map(([name, capabilities]) => [name, { capabilities }]),
        );
        const acl = Acl.fromRules([{ namespace }], { management });
        const listed = (await broker.readableTopics({ acl })).map(({ name }) => name);
        for (const name of topics.names ?? [])
          expect([name, listed.includes(name)]).toEqual([name, await maySubscribe(name, acl)]);
      }),
    );
    await broker.close();
    await expect(broker.readableTopics()).rejects.toMatchObject({ code: 'closed' });
  });

  it('is empty where any name is a topic, and refuses options that are not known', async () => {
    const broker = new EventBroker();
    expect(await broker.readableTopics()).toEqual([]);
    await expect(broker.readableTopics({ tokens: 'x' } as never)).rejects.toThrow(/"tokens".*"token"/);
    await broker.close();
  });
});

describe('a report over fetch', () => {
  it('is the operator’s, with the answers of the one over Node', async () => {
    const broker = await makeBroker();
    const handle = operatorFetchHandler({ broker, maxStreams: 1 });
    const ask = (token: string, query = '') =>
      handle(new Request(`http://host/streams${query}`, { headers: { 'X-Nomad-Token': token } }));
    for (let i = 0; i < 2; i++) await broker.subscribe({ topics: ['Order'], acl: Acl.management });
    expect((await ask('alice-secret')).status).toBe(403);
    expect(await (await ask('root-secret')).json()).toMatchObject({ streams: 2, shown: [{ filter: 'Order:*' }] });
    expect(await (await ask('root-secret', '?accessor=nobody')).json()).toMatchObject({ streams: 0 });
    expect((await ask('root-secret', '?limit=0')).status).toBe(400);
  });

  it.each([
    ['topicsHandler', topicsHandler],
    ['topicsFetchHandler', topicsFetchHandler],
    ['operatorFetchHandler', operatorFetchHandler],
    ['operatorHandler', operatorHandler],
  ])('%s refuses a mistake when it is made, by its own name', (name, make) => {
    const mount = make as (options: object) => unknown;
    const broker = new EventBroker();
    expect(() => mount({})).toThrow(`${name} needs a broker`);
    expect(() => mount({ broker, acls: 1 })).toThrow(`${name} has no option "acls". Did you mean "acl"?`);
    expect(() => mount({ broker, token: 'secret' })).toThrow(/token must be a function/);
    expect(() => mount({ broker, token: () => '', acl: () => Acl.management })).toThrow(/acl or token/);
  });
});
