import { describe, expect, it } from 'vitest';

import { Acl, AclDenial, AclResolver, defineTopics, MemoryAclStore } from '../../src/index.ts';
import { jobEvent, mountedBroker, notified, wireJob, type MountedBroker } from './mounted-broker.ts';
import { mounts, type HeaderOf } from './mounts.ts';
import type { Asked } from './stream-client.ts';

const topics = defineTopics({
  Job: { requires: { namespace: 'read-job' } },
  Node: { requires: { namespace: 'read-node' } },
});
const inTenant = (namespace: string, key = 'web') => ({ ...jobEvent(namespace, key), namespace });
const headers = { 'x-user': 'alice' };
const everything = (accessorId?: string) => Acl.fromRules([], { management: true, accessorId });

/** Status and error of an answer that is no stream: one that is has no end, and is not read. */
async function refusal({ client }: MountedBroker, asked: Asked) {
  const { status, body } = await client.ask(asked);
  if (status === 200) throw new Error('It was not refused.');
  const text = await body.rest();
  const { Error: error } = (text === '' ? {} : JSON.parse(text)) as { Error?: { Code: string } };
  return { status, code: error?.Code, text };
}

/** The cause that the host is told of, beside the answer that the client gets. */
async function refusalAndCause(mounted: MountedBroker, asked: Asked) {
  const denied = notified(mounted.broker, 'denied');
  const answer = await refusal(mounted, asked);
  return { ...answer, cause: (await denied).cause };
}

describe.each(mounts)('acl on $name', (mount) => {
  it('is asked with the framework’s own request, and again after each change that its answer depends on', async () => {
    const asked: (string | undefined)[] = [];
    let answer = (user: string | undefined): Acl => everything(user);
    const acl = (header: HeaderOf): Acl => {
      const user = header('x-user');
      asked.push(user);
      return answer(user);
    };
    const { broker, client } = await mountedBroker(mount, { topics }, { acl });
    const stream = await client.open('', headers);
    await broker.aclChanged({ token: 'bob' });
    expect(asked).toEqual(['alice']);
    await broker.aclChanged({ token: 'alice' });
    await broker.publish(jobEvent(1));
    expect(await stream.object()).toEqual(wireJob(1, 1));
    expect(asked).toEqual(['alice', 'alice']);
    answer = () => {
      throw new AclDenial('unknown', 'alice');
    };
    await broker.aclChanged({ token: 'alice' });
    await broker.publish(jobEvent(2));
    expect(await stream.object()).toMatchObject({ Error: { Code: 'acl_revoked', Retry: 'resubscribe', Index: 1 } });
    expect(await stream.line()).toBeUndefined();
    expect(asked).toEqual(['alice', 'alice', 'alice']);
  });

  it('is 403 where it denies, for GET and HEAD, and the host hears why', async () => {
    const denial = new AclDenial('expired', 'alice');
    const mounted = await mountedBroker(mount, { topics }, { acl: () => Promise.reject(denial) });
    expect(await refusalAndCause(mounted, { headers })).toMatchObject({
      status: 403,
      code: 'permission_denied',
      cause: denial,
    });
    expect(await refusalAndCause(mounted, { headers, method: 'HEAD' })).toMatchObject({ status: 403, text: '' });
  });

  it('is 403 where its rights do not suffice', async () => {
    const acl = () => Acl.fromRules([{ namespace: { acme: { capabilities: ['read-job'] } } }]);
    const mounted = await mountedBroker(mount, { topics }, { acl });
    expect(await refusal(mounted, { query: '?topic=Job' })).toMatchObject({ status: 403 });
    expect((await mounted.client.ask({ query: '?topic=Job&namespace=acme' })).status).toBe(200);
  });

  it.each<[string, () => unknown, unknown]>([
    [
      'throws',
      () => {
        throw new Error('hunter2');
      },
      expect.objectContaining({ message: 'hunter2' }),
    ],
    ['rejects', () => Promise.reject(new Error('hunter2')), expect.objectContaining({ message: 'hunter2' })],
    ['answers with nonsense', () => ({ hunter2: true }), expect.any(TypeError)],
    ['answers with a text', () => 'hunter2', expect.any(TypeError)],
    ['answers with undefined', () => undefined, expect.any(TypeError)],
    ['answers with null, late', () => Promise.resolve(null), expect.any(TypeError)],
  ])('is 503 that tells nothing where it %s, and the host hears why', async (_, acl, cause) => {
    const mounted = await mountedBroker(mount, { topics }, { acl: acl as () => Acl });
    const answer = await refusalAndCause(mounted, {});
    expect(answer).toMatchObject({ status: 503, code: 'acl_unavailable', cause });
    expect(answer.text).not.toContain('hunter2');
    expect(await refusal(mounted, { method: 'HEAD' })).toMatchObject({ status: 503, text: '' });
    expect(mounted.broker.stats().subscriptions).toBe(0);
  });

  it('counts alone: a header with a token is not looked at', async () => {
    const { broker, options } = withStore();
    const acl = () => Acl.fromRules([{ namespace: { acme: { capabilities: ['read-job'] } } }]);
    const mounted = await mountedBroker(mount, broker, { acl });
    const query = '?topic=Node&namespace=acme';
    expect((await (await mountedBroker(mount, broker)).client.ask({ query, headers: options.token })).status).toBe(200);
    for (const sent of [options.token, options.bearer])
      expect(await refusal(mounted, { query, headers: sent })).toMatchObject({ status: 403 });
    for (const sent of [options.token, { 'x-nomad-token': 'unknown' }])
      expect((await mounted.client.ask({ query: '?topic=Job&namespace=acme', headers: sent })).status).toBe(200);
  });
});

/** A broker whose store knows one token, which may see everything. */
function withStore() {
  const store = new MemoryAclStore();
  store.upsertToken({ accessorId: 'root', secretId: 's3cret', type: 'management', policies: [], roles: [] });
  return {
    broker: { topics, acl: new AclResolver({ store }) },
    options: { token: { 'x-nomad-token': 's3cret' }, bearer: { authorization: 'Bearer s3cret' } },
  };
}

describe.each(mounts)('token on $name', (mount) => {
  it('is found in the framework’s own request, whatever the headers say', async () => {
    const { broker, options } = withStore();
    const asked: (string | undefined)[] = [];
    const token = (header: HeaderOf) => {
      asked.push(header('x-user'));
      return Promise.resolve(header('x-user') === 'alice' ? 's3cret' : undefined);
    };
    const mounted = await mountedBroker(mount, broker, { token });
    expect((await mounted.client.ask({ headers })).status).toBe(200);
    expect((await mounted.client.ask({ headers, method: 'HEAD' })).status).toBe(200);
    expect(await refusal(mounted, { headers: { ...options.token, 'x-user': 'bob' } })).toMatchObject({ status: 403 });
    expect(asked).toEqual(['alice', 'alice', 'bob']);
  });

  it('is 500 that tells nothing where it fails, and the host hears why', async () => {
    const cause = new Error('hunter2');
    const mounted = await mountedBroker(mount, { topics }, { token: () => Promise.reject(cause) });
    const answer = await refusalAndCause(mounted, {});
    expect(answer).toMatchObject({ status: 500, code: 'internal', cause });
    expect(answer.text).not.toContain('hunter2');
  });
});

describe.each(mounts)('pin on $name', (mount) => {
  it('is what a query gets that asks for nothing', async () => {
    const asked: (string | undefined)[] = [];
    const pin = (header: HeaderOf) => {
      asked.push(header('x-user'));
      return { namespace: 'acme', topics: ['Job:web'] } as const;
    };
    const { broker, client } = await mountedBroker(mount, { topics }, { pin });
    const stream = await client.open('', headers);
    await broker.publish([inTenant('beta'), inTenant('acme', 'db'), inTenant('acme')]);
    await broker.publish({ ...inTenant('acme'), topic: 'Node' });
    await broker.publish(inTenant('acme'));
    const keys = { Namespace: 'acme', Topic: 'Job', Key: 'web' };
    expect(await stream.object()).toMatchObject({ Index: 1, Events: [keys] });
    expect(await stream.object()).toMatchObject({ Index: 3, Events: [keys] });
    expect(asked).toEqual(['alice']);
  });

  it('is 403 for what asks for something else, and the host hears what; a part may be asked for', async () => {
    const pin = () => ({ namespace: ['acme', 'beta'], topics: ['Job', 'Node:n'] });
    const mounted = await mountedBroker(mount, { topics }, { pin });
    const outside = [
      ['?namespace=gamma', /namespaces .*gamma.* outside/],
      ['?namespace=acme&namespace=gamma', /outside/],
      ['?namespace=*', /outside/],
      ['?topic=Node', /topics .*Node.* outside/],
      ['?topic=*', /outside/],
    ] as const;
    for (const [query, message] of outside) {
      const answer = await refusalAndCause(mounted, { query });
      expect(answer).toMatchObject({ status: 403, code: 'permission_denied' });
      expect(answer.cause).toMatchObject({ message: expect.stringMatching(message) as string });
      expect(answer.text).not.toMatch(/acme|Node/);
      expect(await refusal(mounted, { query, method: 'HEAD' })).toMatchObject({ status: 403, text: '' });
    }
    for (const query of ['', '?namespace=', '?namespace=beta&topic=Job:a', '?topic=Node:n'])
      expect((await mounted.client.ask({ query })).status).toBe(200);
  });

  it('pins nothing where it answers with undefined', async () => {
    const { broker, client } = await mountedBroker(mount, { topics }, { pin: () => undefined });
    const [other, unnamed] = [await client.open('?namespace=acme&topic=Job'), await client.open()];
    await broker.publish(inTenant('acme'));
    await broker.publish(inTenant('default'));
    expect(await other.object()).toMatchObject({ Index: 1 });
    expect(await unnamed.object()).toMatchObject({ Index: 2 });
  });

  it.each<[string, unknown, string]>([
    ['a topic that is not known', { topics: ['Jbo'] }, 'Jbo'],
    ['what cannot be pinned', { topic: ['Job'] }, 'topic'],
    ['an empty namespace', { namespace: '' }, 'namespace'],
    ['a scope that does not exist', { scope: 'some' }, 'some'],
  ])('is 500 that names nothing where it has %s, and the host hears what', async (_, pin, named) => {
    const mounted = await mountedBroker(mount, { topics }, { pin: () => pin as object });
    const answer = await refusalAndCause(mounted, { query: '?topic=Job' });
    expect(answer).toMatchObject({ status: 500, code: 'internal' });
    expect(answer.cause).toMatchObject({ message: expect.stringContaining(named) as string });
    expect(JSON.parse(answer.text)).toEqual({
      Error: { Code: 'internal', Message: 'The server failed to serve this stream.', Retry: 'resume' },
    });
  });

  it('with scope "allowed" gives a user of two tenants what is theirs, and no other’s', async () => {
    const tenants = { acme: { capabilities: ['read-job'] }, beta: { capabilities: ['read-job'] } };
    const acl = (header: HeaderOf) => Acl.fromRules([{ namespace: tenants }], { accessorId: header('x-user') });
    const mounted = await mountedBroker(mount, { topics }, { acl, pin: () => ({ scope: 'allowed' }) });
    const { broker, client } = mounted;
    const stream = await client.open('', headers);
    await broker.publish([inTenant('acme'), inTenant('gamma'), { ...inTenant('beta'), topic: 'Node' }]);
    await broker.publish(inTenant('gamma'));
    await broker.publish(inTenant('beta'));
    expect(await stream.object()).toMatchObject({ Index: 1, Events: [{ Namespace: 'acme', Topic: 'Job' }] });
    expect(await stream.object()).toMatchObject({ Index: 3, Events: [{ Namespace: 'beta', Topic: 'Job' }] });
    expect(await refusal(mounted, { query: '?namespace=gamma', headers })).toMatchObject({ status: 403 });
  });
});
