import { describe, expect, it } from 'vitest';
import {
  Acl,
  AclResolver,
  defineRights,
  defineTopics,
  EventBroker,
  MemoryAclStore,
  type PolicyRules,
  type Rights,
  type UnreadablePolicy,
} from 'fenceline';
import { nomadRights, nomadTopics } from 'fenceline/nomad';

const rights = defineRights({
  namespace: {
    capabilities: ['read-orders', 'read-audit', 'write-orders'],
    levels: { read: ['read-orders'], write: ['write-orders'] },
    implies: { 'write-orders': ['read-orders'] },
  },
  system: { capabilities: ['read-metrics'] },
  region: { capabilities: ['read-stock'], isNamed: true },
});
const orders = { namespace: 'read-orders' } as const;

/** Any rules at all, as JavaScript would give them. */
const aclOf = (rules: unknown, words: Rights | undefined = rights): Acl =>
  Acl.fromRules([rules as PolicyRules], { rights: words });

describe('rights that a host defines', () => {
  it('grant by capability, by level, and what comes with it', () => {
    const acl = aclOf({
      namespace: { a: { capabilities: ['read-orders'] }, b: { policy: 'write' }, c: { policy: 'deny' }, '*': {} },
    });
    expect(['a', 'b', 'c', 'd'].map((name) => acl.meets(orders, name))).toEqual([true, true, false, false]);
    expect(acl.meets({ namespace: 'write-orders' }, 'a')).toBe(false);
  });

  it('have blocks beside namespace: for everywhere, or by name and then needed under each', () => {
    const system = { system: 'read-metrics' } as const;
    const region = { region: 'read-stock' } as const;
    expect(aclOf({ system: { capabilities: ['read-metrics'] } }).meets(system, 'a')).toBe(true);
    expect(aclOf({ system: { capabilities: ['deny', 'read-metrics'] } }).meets(system, 'a')).toBe(false);
    expect(aclOf({ region: { '*': { capabilities: ['read-stock'] } } }).meets(region, 'a')).toBe(true);
    expect(aclOf({ region: { eu: { capabilities: ['read-stock'] } } }).meets(region, 'a')).toBe(false);
    expect(
      aclOf({ region: { '*': { capabilities: ['read-stock'] }, us: { policy: 'deny' } } }).meets(region, 'a'),
    ).toBe(false);
  });

  it.each<[string, unknown, string]>([
    [
      'a capability',
      { namespace: { a: { capabilities: ['read-oders'] } } },
      'namespace "a": unknown capability "read-oders"; allowed: read-orders, read-audit, write-orders, deny. ' +
        'Did you mean "read-orders"?',
    ],
    ['a level', { namespace: { a: { policy: 'reed' } } }, 'unknown policy "reed"; allowed: read, write, deny.'],
    ['a block', { sytem: {} }, 'unknown block "sytem"; allowed: namespace, system, region. Did you mean "system"?'],
    [
      'a member',
      { namespace: { a: { capabilites: [] } } },
      'unknown field "capabilites"; allowed: policy, capabilities.',
    ],
    ['a level of another block', { system: { policy: 'read' } }, 'system: unknown policy "read"; allowed: deny.'],
  ])('refuse %s that is not theirs, with those that are', (_, rules, message) => {
    expect(() => aclOf(rules)).toThrow(message);
    const store = new MemoryAclStore({ rights: rights as Rights });
    expect(() => store.upsertPolicy({ name: 'p', rules: rules as PolicyRules })).toThrow(message);
    expect(() => void store.upsertPolicy({ name: 'p', rules: JSON.stringify(rules) })).toThrow(message);
    expect(store.policyByName('p')).toBeUndefined();
  });

  it.each<[string, unknown, string]>([
    ['nothing', {}, 'at least one block'],
    ['no object', null, 'at least one block'],
    ['a block that is none', { namespace: 'read' }, 'block "namespace" takes an object of options; got "read"'],
    ['a block without capabilities', { namespace: {} }, 'block "namespace": capabilities must be a list'],
    ['a misspelt member', { namespace: { capability: [] } }, 'Did you mean "capabilities"?'],
    ['an empty capability', { namespace: { capabilities: [''] } }, 'must be a list of names that are not empty'],
    ['a star', { namespace: { capabilities: ['*'] } }, 'must be a list of names that are not empty or "*"'],
    ['a block without a name', { '': { capabilities: ['a'] } }, 'needs a name that is not empty'],
    [
      'a level of a capability that is not there',
      { namespace: { capabilities: ['read-orders'], levels: { read: ['read-oders'] } } },
      'level "read" names "read-oders", which is none of: read-orders, deny. Did you mean "read-orders"?',
    ],
    [
      'an implication of a capability that is not there',
      { namespace: { capabilities: ['read-orders'], implies: { write: ['read-orders'] } } },
      'implies "write" names "write", which is none of: read-orders, deny.',
    ],
    [
      'another meaning of deny',
      { namespace: { capabilities: ['a'], levels: { deny: ['a'] } } },
      'level "deny" cannot mean anything else',
    ],
    [
      'a member that nothing checks',
      { namespace: { capabilities: ['a'], members: { more: true } } },
      'members.more must be a function',
    ],
  ])('cannot be defined with %s', (_, definition, message) => {
    expect(() => defineRights(definition as never)).toThrow(message);
  });

  it('are what defineRights makes, and nothing else', () => {
    for (const not of [{}, 'nomad', null]) {
      expect(() => new AclResolver({ store: new MemoryAclStore(), rights: not as never })).toThrow('defineRights');
      expect(() => new MemoryAclStore({ rights: not as never })).toThrow('defineRights');
      expect(() => Acl.fromRules([], { rights: not as never })).toThrow('defineRights');
    }
    expect(() => new MemoryAclStore({ right: rights } as never)).toThrow('Did you mean "rights"?');
  });
});

describe('topics and rights', () => {
  const acl = new AclResolver({ store: new MemoryAclStore(), rights });

  it.each<[string, unknown, string]>([
    [
      'a capability',
      { namespace: 'read-oders' },
      'Topic "Order" needs an unknown capability of namespace: "read-oders"; known: read-orders, read-audit, ' +
        'write-orders. Did you mean "read-orders"?',
    ],
    [
      'a block',
      { cluster: 'read' },
      'Topic "Order" needs an unknown block: "cluster"; known: namespace, system, region.',
    ],
    ['deny', { namespace: 'deny' }, 'unknown capability of namespace: "deny"'],
  ])('whose need of %s nobody can meet are refused when they meet', (_, requires, message) => {
    const topics = defineTopics({ Order: { requires: requires as never } });
    expect(() => new EventBroker({ topics, acl })).toThrow(TypeError);
    expect(() => new EventBroker({ topics, acl })).toThrow(message);
    expect(() => defineTopics({ Order: { requires: requires as never } }, { rights })).toThrow(message);
  });

  it('fit where every need is known, and where no rights are', () => {
    const topics = defineTopics({
      Order: { requires: orders },
      Load: { requires: { system: 'read-metrics' } },
      Audit: {},
    });
    expect(() => new EventBroker({ topics, acl })).not.toThrow();
    expect(() => new EventBroker({ topics, acl: new AclResolver({ store: new MemoryAclStore() }) })).not.toThrow();
    const nomad = new AclResolver({ store: new MemoryAclStore(), rights: nomadRights });
    expect(() => new EventBroker({ topics: nomadTopics, acl: nomad })).not.toThrow();
    expect(() => new EventBroker({ topics, acl: nomad })).toThrow('Topic "Order" needs an unknown capability');
    expect(
      () => new EventBroker({ topics: defineTopics({ Agent: { requires: { agent: 'read' } } }), acl: nomad }),
    ).toThrow('unknown block: "agent"');
  });

  it('are held to a block’s other name too', () => {
    expect(() => defineTopics({ Pool: { requires: { nodePool: 'read' } } }, { rights: nomadRights })).not.toThrow();
    expect(() => defineTopics({ Pool: { requires: { nodePool: 'reed' as 'read' } } }, { rights: nomadRights })).toThrow(
      'Did you mean "read"?',
    );
  });
});

describe('without rights', () => {
  it('any capability may be listed, in namespace and in any other block', () => {
    const acl = Acl.fromRules([
      { namespace: { a: { capabilities: ['read-orders'] } }, system: { capabilities: ['look'] } },
    ]);
    expect(acl.meets(orders, 'a')).toBe(true);
    expect(acl.meets({ system: 'look' }, '')).toBe(true);
    expect(acl.meets({ system: 'touch' }, '')).toBe(false);
  });

  it.each<[string, unknown, string]>([
    ['a level', { namespace: { a: { policy: 'read' } } }, 'namespace "a" has the policy "read", a level'],
    ['a block that is a slip of the pen', { namespaces: { a: {} } }, 'unknown block "namespaces"; allowed: namespace.'],
    ['a misspelt member', { namespace: { a: { capabilites: ['x'] } } }, 'Did you mean "capabilities"?'],
    ['a rule by name of another block', { region: { eu: { capabilities: ['x'] } } }, 'region: unknown field "eu"'],
    ['a rule without its name', { namespace: { capabilities: ['x'] } }, 'must be an object'],
    ['a capability that is none', { namespace: { a: { capabilities: [7] } } }, 'capabilities must be strings'],
  ])('%s is refused', (_, rules, message) => {
    expect(() => Acl.fromRules([rules as PolicyRules])).toThrow(message);
  });

  it('deny takes away all the same', () => {
    for (const rule of [{ policy: 'deny' }, { capabilities: ['deny'] }]) {
      const acl = Acl.fromRules([{ namespace: { '*': { capabilities: ['read-orders'] }, a: rule } }]);
      expect(acl.meets(orders, 'a')).toBe(false);
      expect(acl.meets(orders, 'b')).toBe(true);
    }
  });
});

describe('a store without rights', () => {
  it('keeps what is written in anybody’s words, and who has the rights reads it', async () => {
    const store = new MemoryAclStore();
    store.upsertPolicy({ name: 'own', rules: { namespace: { a: { policy: 'read' } } } });
    store.upsertPolicy({
      name: 'nomad',
      rules: {
        namespace: { a: { policy: 'read', variables: { path: { x: { capabilities: ['read'] } } } } },
        node: { policy: 'read' },
        nodePool: { '*': { policy: 'read' } },
      },
    });
    store.upsertToken({ accessorId: 't', secretId: 's', type: 'client', policies: ['own'] });
    store.upsertToken({ accessorId: 'n', secretId: 'n', type: 'client', policies: ['nomad'] });
    expect((await new AclResolver({ store, rights }).resolve('s')).meets(orders, 'a')).toBe(true);
    const nomad = await new AclResolver({ store, rights: nomadRights }).resolve('n');
    expect(nomad.meets({ namespace: 'read-job' }, 'a')).toBe(true);
    expect(nomad.meets({ nodePool: 'read' }, '')).toBe(true);
  });

  it.each<[string, unknown, string]>([
    ['a rule that is no object', { namespace: { a: 'read' } }, 'namespace "a" must be an object'],
    ['a misspelt member', { namespace: { a: { polcy: 'read' } } }, 'Did you mean "policy"?'],
    ['misspelt capabilities', { namespace: { a: { capabilites: ['x'] } } }, 'Did you mean "capabilities"?'],
    ['a policy that is no text', { node: { policy: 7 } }, 'node has the policy 7'],
    ['a misspelt namespace', { namespces: {} }, 'unknown block "namespces"'],
    ['no rules', [], 'policy rules must be an object; got an array.'],
  ])('looks at the form: %s is refused', (_, rules, message) => {
    const store = new MemoryAclStore();
    expect(() => store.upsertPolicy({ name: 'p', rules: rules as PolicyRules })).toThrow(message);
    expect(store.policyByName('p')).toBeUndefined();
  });

  it('cannot read text that is not JSON, and says what can', () => {
    const text = 'namespace "default" { policy = "read" }';
    expect(() => void new MemoryAclStore().upsertPolicy({ name: 'p', rules: text })).toThrow('nomadRights');
    expect(() => void new MemoryAclStore({ rights }).upsertPolicy({ name: 'p', rules: text })).toThrow('nomadRights');
  });

  it('whose resolver has none either: a level grants nothing, its deny holds, and the host is told', async () => {
    const store = new MemoryAclStore();
    store.upsertPolicy({ name: 'p', rules: { namespace: { a: { policy: 'read' }, b: { policy: 'deny' } } } });
    store.upsertPolicy({ name: 'q', rules: { namespace: { '*': { capabilities: ['read-orders'] } } } });
    store.upsertToken({ accessorId: 't', secretId: 's', type: 'client', policies: ['p', 'q'] });
    const resolver = new AclResolver({ store });
    const told: UnreadablePolicy[] = [];
    resolver.onUnreadable((notice) => void told.push(notice));
    const acl = await resolver.resolve('s');
    expect(['a', 'b', 'c'].map((name) => acl.meets(orders, name))).toEqual([false, false, true]);
    expect(told.map(({ policy, error }) => [policy, error.message])).toEqual([
      ['p', expect.stringContaining('levels are known to rights alone')],
    ]);
  });
});

describe('a stored policy in which something is not known', () => {
  it('keeps its effect for the rest, and the host is told once what was ignored', async () => {
    const store = new MemoryAclStore();
    const rules = {
      namespace: { a: { capabilities: ['read-orders', 'fly-orders'] }, b: { policy: 'deny' } },
      moon: {},
    };
    store.upsertPolicy({ name: 'newer', rules });
    store.upsertToken({ accessorId: 't', secretId: 's', type: 'client', policies: ['newer'] });
    const resolver = new AclResolver({ store, rights, maxCached: 0 });
    const told: string[] = [];
    resolver.onUnreadable(({ error }) => void told.push(error.message));
    for (let i = 0; i < 2; i++) expect((await resolver.resolve('s')).meets(orders, 'a')).toBe(true);
    expect(told).toEqual([
      'namespace "a": unknown capability "fly-orders"; allowed: read-orders, read-audit, write-orders, deny. ' +
        'It is ignored.',
    ]);
    const { unreadable, missing } = await resolver.explain('s', []);
    expect(unreadable).toMatchObject([{ policy: 'newer' }]);
    expect(missing).toEqual([]);
  });
});

it('what was read leniently for a store is refused all the same where a host writes it', async () => {
  const store = new MemoryAclStore();
  store.upsertPolicy({ name: 'newer', rules: { namespace: { a: { capabilities: ['read-orders', 'fly-orders'] } } } });
  store.upsertToken({ accessorId: 't', secretId: 's', type: 'client', policies: ['newer'] });
  await new AclResolver({ store, rights }).resolve('s');
  const rules = store.policyByName('newer')?.rules as PolicyRules;
  expect(() => Acl.fromRules([rules], { rights: rights as Rights })).toThrow('unknown capability "fly-orders"');
});

describe('rules that a store holds', () => {
  /** Counts how often its rules are read: their member is checked each time. */
  function counting(options: { readonly readText?: (text: string) => object } = {}) {
    const seen: unknown[] = [];
    const words = defineRights(
      { namespace: { capabilities: ['read'], members: { note: (value) => void seen.push(value) } } },
      options,
    ) as Rights;
    return { words, seen };
  }
  const token = { accessorId: 't', secretId: 's', type: 'client', policies: ['p'] } as const;

  it('are read once where they cannot change', async () => {
    for (const withWords of [true, false]) {
      const { words, seen } = counting();
      const store = new MemoryAclStore(withWords ? { rights: words } : {});
      store.upsertPolicy({ name: 'p', rules: { namespace: { a: { note: 1 } } } });
      store.upsertToken(token);
      const resolver = new AclResolver({ store, rights: words, maxCached: 0 });
      for (let i = 0; i < 3; i++) await resolver.resolve('s');
      expect(seen).toEqual([1]);
    }
  });

  it('are read with each look-up where the store may change them', async () => {
    const rules = { namespace: { a: { capabilities: ['read'] } } };
    const store = {
      tokenBySecretId: () => token,
      policyByName: () => ({ name: 'p', rules }),
      roleById: () => undefined,
    };
    const resolver = new AclResolver({ store, rights: counting().words, maxCached: 0 });
    expect((await resolver.resolve('s')).meets({ namespace: 'read' }, 'a')).toBe(true);
    rules.namespace.a.capabilities.push('deny');
    expect((await resolver.resolve('s')).meets({ namespace: 'read' }, 'a')).toBe(false);
  });

  it('are remembered by 1000 texts: past them the oldest is read again', async () => {
    const read: string[] = [];
    const { words } = counting({ readText: (text) => (read.push(text), {}) });
    for (let i = 0; i < 1000; i++) await words.readStoredText(`text ${i}`);
    await words.readStoredText('text 0');
    expect(read).toHaveLength(1000);
    await words.readStoredText('one more');
    await words.readStoredText('text 1');
    await words.readStoredText('text 0');
    expect(read.slice(1000)).toEqual(['one more', 'text 0']);
  });
});

it('Acls whose rights differ are not taken for equal, though their rules are', () => {
  const named = defineRights({ region: { capabilities: ['look'], isNamed: true } });
  const plain = defineRights({ region: { capabilities: ['look'] }, namespace: { capabilities: ['look'] } });
  const keys = [named, plain].map((words) => Acl.fromRules([], { rights: words as Rights }).rightsKey);
  expect(new Set(keys).size).toBe(2);
});
