import { describe, expect, it } from 'vitest';
import {
  AclResolver,
  defineRights,
  EventBroker,
  MemoryAclStore,
  type AclStore,
  type Rights,
  type UnreadablePolicy,
} from 'fenceline';
import { nomadRights, nomadTopics } from 'fenceline/nomad';
import { onLinesOfTheirOwn } from '../../src/nomad/hcl-lines.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

/** A store that holds these rules, as it got them from elsewhere. */
function storeOf(rules: Readonly<Record<string, unknown>>, names: readonly string[] = Object.keys(rules)): AclStore {
  return {
    tokenBySecretId: (secretId) => ({ accessorId: 'a', secretId, type: 'client', policies: names }),
    policyByName: (name) => (name in rules ? { name, rules: rules[name] as string } : undefined),
    roleById: () => undefined,
  };
}

const readJob = { namespace: 'read-job' } as const;

describe('a policy that a store holds', () => {
  it.each<[string, unknown]>([
    ['a block that is not known', { namespace: { default: { policy: 'read' } }, dynamic_host: { policy: 'read' } }],
    ['a member that is not known', { namespace: { default: { policy: 'read', owner: 'me' } } }],
    ['a capability that is not known', { namespace: { default: { capabilities: ['read-job', 'fly-job'] } } }],
    ['a level that is not known', { namespace: { default: { policy: 'read' } }, node: { policy: 'watch' } }],
    ['the block sentinel', { namespace: { default: { policy: 'read' } }, sentinel: { policy: 'write' } }],
  ])('is read with %s, which is ignored', async (_, rules) => {
    const acl = await new AclResolver({ store: storeOf({ p: rules }), rights: nomadRights }).resolve('secret');
    expect(acl.meets(readJob, 'default')).toBe(true);
    expect(acl.meets({ node: 'read' }, '')).toBe(false);
  });

  it.each<[string, unknown]>([
    ['text that is no rules', 'namespace "default" {'],
    ['JSON that is none', '{"namespace":'],
    ['a block that is a number', { namespace: 7 }],
    ['a list', []],
    ['capabilities that are no list', { namespace: { default: { capabilities: 'read-job' } } }],
    ['nothing', null],
  ])('that is %s grants nothing, is named to the host, and the others of the token go on', async (_, rules) => {
    const store = storeOf({ broken: rules, good: { namespace: { default: { policy: 'read' } } } });
    const acl = new AclResolver({ store, rights: nomadRights });
    // Its time stands: however long a text takes to be read, it is waited for.
    const broker = new EventBroker({ topics: nomadTopics, acl, clock: new VirtualClock() });
    const told: UnreadablePolicy[] = [];
    broker.on('unreadablePolicy', (notice) => told.push(notice));
    const subscription = await broker.subscribe({ topics: ['Job'], token: 'secret' });
    await broker.subscribe({ topics: ['Job'], token: 'another' });
    expect(told).toMatchObject([{ policy: 'broken', error: { code: 'bad_request' } }]);
    expect((await acl.explain('secret', [])).unreadable).toMatchObject([{ policy: 'broken' }]);
    expect((await acl.explain('secret', [])).missing).toEqual([]);
    subscription.close();
  });

  it('is told of again when it fails in another way, and a listener that throws harms nobody', async () => {
    const rules: Record<string, unknown> = { p: { namespace: 7 } };
    const acl = new AclResolver({ store: storeOf(rules), rights: nomadRights, maxCached: 0 });
    const told: string[] = [];
    acl.onUnreadable(() => {
      throw new Error('listener');
    });
    const stop = acl.onUnreadable(({ error }) => told.push(error.message));
    await acl.resolve('s');
    await acl.resolve('s');
    rules['p'] = { node: 7 };
    await acl.resolve('s');
    stop();
    rules['p'] = [];
    await acl.resolve('s');
    expect(told).toHaveLength(2);
  });
});

describe('a policy that Nomad takes', () => {
  it.each([
    'sentinel { policy = "write" }',
    'operator { capabilities = ["keyring-read", "keyring-rotate", "keyring-delete"] }',
    'node { policy = "" }',
    'agent { policy = "scale" }',
    'namespace "x" { variables { path "y" { capabilities = ["read"] } } }',
    'namespace "x" { policy = "read" capabilities = ["submit-job"] }',
    'namespace "x" { policy = "read" variables { path "a{b}" { capabilities = ["read"] } } } # } {',
  ])('is taken on write: %s', async (rules) => {
    const store = new MemoryAclStore({ rights: nomadRights });
    await store.upsertPolicy({ name: 'p', rules });
    expect(store.policyByName('p')).toBeDefined();
  });

  it('keeps what stands in texts, comments and heredocs, when its lines are cut', () => {
    const kept = ['"a { b } c = 1"', '# { x = 1 }\n', '// }\n', '/* { */', '<<EOF\n{ }\nEOF'];
    for (const text of kept) expect(onLinesOfTheirOwn(text)).toBe(text);
    expect(
      onLinesOfTheirOwn('a { b = "{" c = 2 }')
        .split('\n')
        .map((line) => line.trim())
        .filter(Boolean),
    ).toEqual(['a {', 'b = "{"', 'c = 2', '}']);
  });
});

it('a text that does not close is refused in no more time than one that does', async () => {
  const store = new MemoryAclStore({ rights: nomadRights });
  // With an alternative too many, this would take longer than the universe is old.
  const refused = store.upsertPolicy({ name: 'p', rules: `namespace "${'${a}'.repeat(200)}` }) as Promise<void>;
  await expect(refused).rejects.toMatchObject({ code: 'bad_request' });
});

it('a policy’s text is read once, however many tokens have it, and again when it could not be read', async () => {
  let reads = 0;
  const rights = defineRights(
    { namespace: { capabilities: ['read'] } },
    {
      readText: async (text) => {
        if (++reads === 1) throw new Error('not yet');
        return { namespace: { [text]: { capabilities: ['read'] } } };
      },
    },
  );
  const acl = new AclResolver({ store: storeOf({ p: 'acme' }), rights: rights as Rights });
  expect((await acl.resolve('first')).meets({ namespace: 'read' }, 'acme')).toBe(false);
  const acls = await Promise.all(Array.from({ length: 20 }, (_, i) => acl.resolve(`secret-${i}`)));
  for (const one of acls) expect(one.meets({ namespace: 'read' }, 'acme')).toBe(true);
  expect(reads).toBe(2);
});

describe('what is stored and what is presented', () => {
  it.each(['abc ', ' abc', '\tabc', 'ab\u00a0c', 'abç', '', 'a\nb'])(
    'are one text: the secret %j is refused',
    (secretId) => {
      const store = new MemoryAclStore();
      expect(() => store.upsertToken({ accessorId: 'a', secretId, type: 'client' })).toThrow(/printable ASCII/);
    },
  );
});

describe('rights with a public name', () => {
  it('are reached by it: who is told of by name need not say what else it rests on', async () => {
    const { Acl } = await import('fenceline');
    const broker = new EventBroker();
    const acl = Acl.fromRules([], { management: true, accessorId: 'alice' });
    expect(acl.dependsOn).toEqual(['token:alice']);
    const subscription = await broker.subscribe({ acl });
    await broker.aclChanged({ token: 'alice' });
    await broker.publish({ topic: 'Job', type: 'Made', key: 'secret', payload: 1 });
    await new Promise(setImmediate);
    expect(() => subscription.poll()).toThrow(/taken away/);
    expect(subscription.error).toMatchObject({ code: 'acl_revoked', index: 0 });
  });

  it('refuse a misspelt fact', async () => {
    const { Acl } = await import('fenceline');
    expect(() => Acl.fromRules([], { accesorId: 'a' } as never)).toThrow(/Did you mean "accessorId"\?/);
  });
});
