// What somebody tries who has read SECURITY.md.
import { afterEach, describe, expect, it } from 'vitest';
import {
  Acl,
  AclResolver,
  BrokerError,
  defineRights,
  defineTopics,
  EventBroker,
  MemoryAclStore,
  type EventBrokerOptions,
} from '../../src/index.ts';
import { MemoryEventLog } from '../../src/testing/index.ts';
import { HttpEndpoint, type HttpStream } from './http-stream.ts';
import { drain, failureOf } from './reading.ts';

const rights = defineRights({ namespace: { capabilities: ['read'] } });
const topics = defineTopics(
  {
    Order: { requires: { namespace: 'read' } },
    Owned: { requires: 'anyone', visible: (claims, { payload }) => claims['user'] === (payload as { of: string }).of },
    Public: { requires: 'anyone' },
  },
  { rights },
);

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function serve(options: EventBrokerOptions = {}, more: object = {}) {
  const store = new MemoryAclStore({ rights });
  store.upsertPolicy({ name: 'acme', rules: { namespace: { acme: { capabilities: ['read'] } } } });
  store.upsertPolicy({ name: 'anonymous', rules: { namespace: { none: { capabilities: [] } } } });
  store.upsertToken({ accessorId: 'a', secretId: 'a-secret', type: 'client', policies: ['acme'] });
  const broker = new EventBroker({ topics: topics as never, acl: new AclResolver({ store, rights }), ...options });
  const endpoint = await HttpEndpoint.serve({ broker, ...more });
  cleanups.push(
    () => endpoint.close(),
    () => broker.close(),
  );
  return { broker, endpoint, store };
}

const order = (key: string, namespace: string, payload: unknown = null) =>
  ({ topic: 'Order', type: 'Placed', key, namespace, payload }) as const;

/** What an answer says, without what differs from one to the next. */
async function told(stream: HttpStream): Promise<readonly unknown[]> {
  const { date: _, ...headers } = stream.headers;
  return [stream.status, headers, await stream.text()];
}

/** What breaks lines, fields, headers, prototypes and terminals. */
const nasty = [
  'a\r\nEvent: forged\r\n\r\n',
  'data: x\n\ndata: y',
  '\r',
  '\u0000',
  '\u2028\u2029\u0085',
  '__proto__',
  'constructor',
  'toString',
  '"}\n{"Error":{"Code":"closed"}}',
  '\ud800',
  '\u001b[31m',
  'x'.repeat(5000),
  '*',
  'a,b',
  'a\\,b',
] as const;

describe('names that are chosen to break out of their place', () => {
  it.each(nasty)('stay in one line of ndjson, and are found by their name: %j', async (name) => {
    const { broker, endpoint } = await serve();
    await broker.publish({
      topic: 'Public',
      type: name,
      key: name,
      namespace: name === '*' ? '' : name,
      payload: { [name]: name },
    } as never);
    const stream = await endpoint.open('topic=Public&namespace=*');
    expect(await stream.text()).toBe('{}');
    const line = JSON.parse((await stream.text()) ?? '') as { Events: { Key: string; Payload: object }[] };
    expect(line.Events).toHaveLength(1);
    expect(Object.getPrototypeOf(line.Events[0]?.Payload)).toBe(Object.prototype);
    expect(Object.hasOwn(line.Events[0]?.Payload ?? {}, name)).toBe(true);
    stream.close();
    if (name === '*' || name === '\ud800') return;
    const byKey = await endpoint.open(
      `topic=${encodeURIComponent(`Public:${name}`)}&namespace=${encodeURIComponent(name)}`,
    );
    expect(await byKey.text()).toBe('{}');
    expect(await byKey.text()).toContain('"Events":[{');
    byKey.close();
  });

  it.each(nasty)('stay in one event of server-sent events: %j', async (name) => {
    const { broker, endpoint } = await serve();
    await broker.publish({ topic: 'Public', type: name, key: name, namespace: '', payload: { [name]: name } } as never);
    const stream = await endpoint.open('topic=Public', { Accept: 'text/event-stream' });
    const lines: (string | undefined)[] = [];
    // retry, blank, comment, blank, id, data, blank
    for (let i = 0; i < 7; i++) lines.push(await stream.text());
    const fields = lines.map((line) => /^(retry: \d+|:|id: |data: |)/.exec(line ?? '?')?.[1]?.replace(/\d+/, 'n'));
    expect(fields).toEqual(['retry: n', '', ':', '', 'id: ', 'data: ', '']);
    expect(lines.join('\n')).not.toContain('\r');
    expect(JSON.parse(lines[5]?.slice('data: '.length) ?? '')).toMatchObject({ Events: [{ Topic: 'Public' }] });
    stream.close();
  });

  it.each(nasty)('are an error that stays in its line where they are no topic: %j', async (name) => {
    const { endpoint } = await serve();
    const stream = await endpoint.open(`topic=${encodeURIComponent(name === '\ud800' ? '\ufffd' : name)}`, {
      'X-Nomad-Token': 'a-secret',
    });
    expect([400, 403]).toContain(stream.status);
    const [body, end] = [await stream.text(), await stream.text()];
    expect(JSON.parse(body ?? '')).toHaveProperty('Error.Code');
    expect(end).toBeUndefined();
  });
});

describe('a query that is no query', () => {
  it.each([
    ['bad UTF-8', 'topic=Public:%ff'],
    ['half a surrogate', 'topic=Public:%ED%A0%80'],
    ['an overlong form', 'topic=Public:%C0%AF'],
    ['a percent sign alone', 'topic=%'],
    ['an index twice', 'index=1&index=2'],
    ['a negative index', 'index=-1'],
    ['an index in hexadecimal', 'index=0x10'],
    ['an index with an exponent', 'index=1e9'],
    ['an index with NUL', 'index=1%00'],
    ['an index of 31 digits', `index=${'9'.repeat(31)}`],
    ['a mark that is none', 'state=true&mark=__proto__'],
    ['a flag in another spelling', 'bookmarks=TRUE'],
    ['more parameters than are read', 'a&'.repeat(1001)],
    ['a gap twice, by two spellings of its name', 'gap=fail&g%61p=fail'],
  ])('is 400, whoever asks: %s', async (_, query) => {
    const { endpoint, broker } = await serve();
    for (const headers of [{}, { 'X-Nomad-Token': 'a-secret' }]) {
      const stream = await endpoint.open(query, headers);
      expect(stream.status).toBe(400);
      expect(await stream.text()).toContain('"Code":"bad_request"');
    }
    expect(broker.stats()).toMatchObject({ subscriptions: 0, interests: 0 });
  });

  it('waits at the largest index of this run for what never comes, and ends as all do', async () => {
    const { broker, endpoint } = await serve();
    const index = Number.MAX_SAFE_INTEGER;
    const stream = await endpoint.open(`topic=Public&index=${index}&epoch=${broker.stats().epoch}`);
    expect(await stream.text()).toBe('{}');
    await broker.publish({ topic: 'Public', type: 'T', key: 'k', payload: null } as never);
    await broker.close();
    expect(await stream.rest()).toMatchObject([{ Error: { Code: 'closed' } }]);
  });
});

describe('a denial', () => {
  it('is the same, byte for byte, whatever there is behind it', async () => {
    const { broker, endpoint, store } = await serve();
    await broker.publish([order('k-1', 'acme'), order('k-2', 'beta')] as never);
    store.upsertToken({ accessorId: 'b', secretId: 'b-secret', type: 'client', policies: [], expirationTime: 1 });
    const answers = await Promise.all(
      [
        ['topic=Order&namespace=acme', undefined],
        ['topic=Order&namespace=beta', undefined],
        ['topic=Order&namespace=beta', 'a-secret'],
        ['topic=Order&namespace=no-such-tenant', 'a-secret'],
        ['topic=Order:k-2&namespace=beta', 'a-secret'],
        ['topic=Order:no-such-key&namespace=beta', 'a-secret'],
        ['topic=Order&namespace=acme', 'wrong'],
        ['topic=Order&namespace=acme', 'b-secret'],
        ['topic=*&namespace=acme', 'a-secret'],
        ['topic=Order&namespace=beta&index=1&gap=fail', 'a-secret'],
        ['topic=Order&namespace=beta&index=99&gap=fail&epoch=other', 'a-secret'],
        ['topic=Order&namespace=beta&state=true', 'a-secret'],
      ].map(async ([query, token]) =>
        told(await endpoint.open(query, token === undefined ? {} : { 'X-Nomad-Token': token })),
      ),
    );
    expect(answers[0]?.[0]).toBe(403);
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });

  it('costs no question to the log, which may be a database', async () => {
    const log = new MemoryEventLog();
    const asked: string[] = [];
    const state = log.state.bind(log);
    const { broker, endpoint } = await serve({ log });
    await broker.ready();
    log.state = () => (asked.push('state'), state());
    for (const start of ['', '&index=5&epoch=x', '&index=7', '&state=true']) {
      const stream = await endpoint.open(`topic=Order&namespace=beta${start}`, { 'X-Nomad-Token': 'a-secret' });
      expect(stream.status).toBe(403);
    }
    expect(asked).toEqual([]);
    const stream = await endpoint.open('topic=Order&namespace=acme', { 'X-Nomad-Token': 'a-secret' });
    expect(stream.status).toBe(200);
    stream.close();
    expect(asked).toEqual(['state']);
  });
});

describe('a topic that does not say what it needs', () => {
  it('is for management alone, whatever else somebody may do', async () => {
    const silent = defineTopics({ Silent: {} }, { rights });
    const { endpoint } = await serve({ topics: silent as never });
    const stream = await endpoint.open('topic=Silent&namespace=acme', { 'X-Nomad-Token': 'a-secret' });
    expect(stream.status).toBe(403);
  });
});

describe('what a server says of itself to who may not know', () => {
  it('holds nothing of its log, when that fails: no path, no address, no name', async () => {
    const secret = '/srv/tenant-7/events, postgres://10.0.0.5';
    const log = new MemoryEventLog();
    log.state = () => Promise.reject(new BrokerError('log_unavailable', `The event log in ${secret} was deleted.`));
    log.tail = () => {
      throw new BrokerError('log_unavailable', `The event log in ${secret} was deleted.`);
    };
    const { endpoint } = await serve({ log, reauthorizeTimeoutMs: 50 });
    const stream = await endpoint.open('topic=Public');
    expect(stream.status).toBe(503);
    expect(await stream.text()).not.toContain('tenant-7');
  });

  it('holds nothing of its log in the last line of a stream either, and the host has it all', async () => {
    const error = new BrokerError('log_unavailable', 'There is no event log in /srv/tenant-7/events.', { index: 7 });
    expect(JSON.stringify(error.toWire())).not.toContain('tenant-7');
    expect(error.toWire().Error).toMatchObject({ Code: 'log_unavailable', Retry: 'resume', Index: 7 });
    expect(error.message).toContain('tenant-7');
    expect(JSON.stringify(error)).toContain('tenant-7');
  });
});

describe('claims and payloads that name a prototype', () => {
  const forged = JSON.parse('{"__proto__":{"user":"bob"},"constructor":{"prototype":{"user":"bob"}}}') as object;

  it('give nobody the claims of another', async () => {
    const { broker } = await serve();
    const acl = Acl.fromRules([], { accessorId: 'm', claims: forged as never, rights });
    const subscription = await broker.subscribe({ topics: ['Owned'], acl } as never);
    await broker.publish({ topic: 'Owned', type: 'T', key: 'k', payload: { of: 'bob' } } as never);
    expect(drain(subscription).batches).toEqual([]);
    expect(({} as { user?: string }).user).toBeUndefined();
  });

  it('make no event another’s', async () => {
    const { broker } = await serve();
    const acl = Acl.fromRules([], { accessorId: 'm', claims: { user: 'bob' }, rights });
    const subscription = await broker.subscribe({ topics: ['Owned'], acl } as never);
    const payload = JSON.parse('{"__proto__":{"of":"bob"}}') as object;
    await broker.publish({ topic: 'Owned', type: 'T', key: 'k', payload } as never);
    expect(drain(subscription).batches).toEqual([]);
  });

  it('grant nothing as names of rules', async () => {
    const { broker, store } = await serve();
    await store.upsertPolicy({
      name: 'p',
      rules: '{"namespace":{"__proto__":{"capabilities":["read"]},"constructor":{"capabilities":["read"]}}}',
    });
    store.upsertToken({ accessorId: 'p', secretId: 'p-secret', type: 'client', policies: ['p'] });
    for (const namespace of ['acme', 'toString', 'hasOwnProperty'])
      expect(
        (await failureOf(() => broker.subscribe({ topics: ['Order'], namespace, token: 'p-secret' } as never))).code,
      ).toBe('permission_denied');
    (await broker.subscribe({ topics: ['Order'], namespace: '__proto__', token: 'p-secret' } as never)).close();
  });
});

describe('readers who share what is matched for them', () => {
  it('cannot be joined by a filter that is written like theirs', async () => {
    const { broker } = await serve();
    const bob = Acl.fromRules([], { accessorId: 'bob', claims: { user: 'bob' }, rights });
    const eve = Acl.fromRules([], { accessorId: 'eve', claims: { user: 'eve' }, rights });
    const read = await broker.subscribe({ topics: ['Owned:k'], acl: bob } as never);
    const keys = ['k', `k ["","{\\"user\\":\\"bob\\"}"]`, 'k,Owned:k', 'k\\,Owned:k', 'k "," '];
    const spies = await Promise.all(
      keys.map((key) => broker.subscribe({ topics: [`Owned:${key}`], acl: eve } as never)),
    );
    await broker.publish({ topic: 'Owned', type: 'T', key: 'k', payload: { of: 'bob' } } as never);
    expect(drain(read).indexes).toEqual([1]);
    for (const spy of spies) expect(drain(spy).batches).toEqual([]);
  });
});
