import { describe, expect, it } from 'vitest';

import { formOnly, openRights } from '../../src/acl/rights.ts';
import { Acl, defineRights, type Rights } from '../../src/index.ts';

/** Made anew for each test, as all that they hold: what they are made of is what is tested. */
function shopRights(): Rights {
  return defineRights({
    namespace: {
      capabilities: ['read-orders', 'write-orders', 'read-audit'],
      levels: { read: ['read-orders'], write: ['read-orders', 'write-orders'] },
      implies: { 'write-orders': ['read-audit'] },
    },
    system: { capabilities: ['look'], byLevel: ['touch'], levels: { all: ['look', 'touch'] }, alias: 'machine' },
    region: { capabilities: ['look'], isNamed: true },
    plan: { capabilities: [], levels: { gold: [] } },
    old: { capabilities: ['x'], isIgnored: true },
    extra: {
      capabilities: ['x'],
      members: {
        note(value, place) {
          if (typeof value !== 'string') throw new TypeError(`${place}: note must be a text.`);
        },
      },
    },
  }) as unknown as Rights;
}

const granted = (rules: object, rights = shopRights()) =>
  [...rights.parse(rules as never)].map(([block, byName]) => [
    block,
    Object.fromEntries([...byName].map(([name, capabilities]) => [name, [...capabilities].toSorted()])),
  ]);

describe('rules in words of defined rights', () => {
  it.each<[string, object, unknown]>([
    ['a level', { namespace: { a: { policy: 'read' } } }, [['namespace', { a: ['read-orders'] }]]],
    [
      'what a level brings along',
      { namespace: { a: { policy: 'write' } } },
      [['namespace', { a: ['read-audit', 'read-orders', 'write-orders'] }]],
    ],
    [
      'what a capability brings along',
      { namespace: { a: { capabilities: ['write-orders'] } } },
      [['namespace', { a: ['read-audit', 'write-orders'] }]],
    ],
    ['deny, as a level', { namespace: { a: { policy: 'deny' } } }, [['namespace', { a: ['deny'] }]]],
    ['deny, as a capability', { system: { capabilities: ['deny', 'look'] } }, [['system', { '': ['deny', 'look'] }]]],
    ['a block by its alias', { machine: { policy: 'all' } }, [['system', { '': ['look', 'touch'] }]]],
    ['a block with names', { region: { eu: { capabilities: ['look'] } } }, [['region', { eu: ['look'] }]]],
    [
      'several rules of one name',
      { namespace: [{ a: { policy: 'read' } }, { a: [{ capabilities: ['read-audit'] }] }] },
      [['namespace', { a: ['read-audit', 'read-orders'] }]],
    ],
    ['members of a block', { extra: { note: 'text', capabilities: ['x'] } }, [['extra', { '': ['x'] }]]],
    ['members that are not there', { namespace: undefined, extra: { note: undefined } }, [['extra', { '': [] }]]],
    ['a level of a block that lists nothing', { plan: { policy: 'gold' } }, [['plan', { '': [] }]]],
  ])('grant what they say: %s', (_, rules, expected) => {
    expect(granted(rules)).toEqual(expected);
  });

  it.each<[object, string]>([
    [{ names: {} }, 'policy rules: unknown block "names"; allowed: namespace, system, region, plan, old, extra.'],
    [
      { namespace: { a: { policy: 'reed' } } },
      'unknown policy "reed"; allowed: read, write, deny. Did you mean "read"?',
    ],
    [{ namespace: { a: { policy: ['read'] } } }, 'unknown policy an array'],
    [
      { namespace: { a: { capabilities: ['fly'] } } },
      'unknown capability "fly"; allowed: read-orders, write-orders, read-audit, deny.',
    ],
    [{ namespace: { a: { capabilities: [7] } } }, 'unknown capability 7'],
    [
      { namespace: { a: { capabilities: 'read-orders' } } },
      'capabilities must be a list of strings; got "read-orders".',
    ],
    [{ namespace: { a: 'read' } }, 'namespace "a" must be an object; got "read".'],
    [{ namespace: 'read' }, 'namespace: its rules, by name, must be an object; got "read".'],
    [{ namespace: { '': { policy: 'read' } } }, 'namespace "" needs a name that is not empty.'],
    [{ system: { capabilities: ['touch'] } }, 'unknown capability "touch"; allowed: look, deny.'],
    [{ plan: { capabilities: ['x'] } }, 'plan has no capabilities, only a policy.'],
    [
      { extra: { nite: 'x' } },
      'extra: unknown field "nite"; allowed: policy, capabilities, note. Did you mean "note"?',
    ],
  ])('are refused where they say %j', (rules, message) => {
    expect(() => granted(rules)).toThrow(expect.objectContaining({ code: 'bad_request' }));
    expect(() => granted(rules)).toThrow(message);
  });

  it('are read with what is not known left out, where a store holds them; the first of it is named', () => {
    const rules = { namespace: { a: { policy: 'fly', capabilities: ['read-orders', 'swim'] } }, later: {} };
    const { rules: read, ignored } = shopRights().readStored(rules as never);
    expect([...(read.get('namespace')?.get('a') ?? [])]).toEqual(['read-orders']);
    expect(ignored?.message).toMatch(/^namespace "a": unknown policy "fly"; .*It is ignored\.$/);
    expect(ignored?.code).toBe('bad_request');
  });

  it('are copied: who changes them later changes nothing, and the copy cannot be changed', () => {
    const rights = shopRights();
    const rules = { namespace: { a: { capabilities: ['read-orders'] } } };
    const copy = rights.freeze(rules as never);
    rules.namespace.a.capabilities.push('write-orders');
    expect(copy).toEqual({ namespace: { a: { capabilities: ['read-orders'] } } });
    expect(Object.isFrozen((copy as typeof rules).namespace.a.capabilities)).toBe(true);
    expect(rights.freeze(copy)).toBe(copy);
    expect(rights.readStored(copy)).toBe(rights.readStored(copy));
    for (const no of [null, 7, 'text', [], undefined])
      expect(() => rights.freeze(no as never)).toThrow(expect.objectContaining({ code: 'bad_request' }));
    expect(() => rights.freeze({ namespace: { a: { policy: () => 1 } } } as never)).toThrow(
      expect.objectContaining({
        code: 'bad_request',
        message: 'policy rules may hold only objects, lists and strings.',
        cause: expect.objectContaining({ name: 'DataCloneError' }) as Error,
      }),
    );
  });
});

describe('what a topic may need', () => {
  const needs = (requires: unknown) => () => shopRights().requireKnown(requires as never, 'Topic "Job"');

  it.each([
    ['anyone'],
    ['management'],
    [{ namespace: 'read-orders' }],
    [{ system: 'touch' }],
    [{ machine: 'look' }],
    [{ region: 'look' }],
  ])('is something that a rule can grant: %j', (requires) => {
    expect(needs(requires)).not.toThrow();
  });

  it.each<[unknown, string]>([
    [{ spaces: 'x' }, 'Topic "Job" needs an unknown block: "spaces"; known: namespace, system, region, plan, extra.'],
    [{ old: 'x' }, 'unknown block: "old"'],
    [{ '': 'x' }, 'Topic "Job" needs an unknown block: ""; known: namespace, system, region, plan, extra.'],
    [{}, 'Topic "Job" needs an unknown block: ""; known: namespace, system, region, plan, extra.'],
    [{ namespace: 'deny' }, 'unknown capability of namespace: "deny"; known: read-orders, write-orders, read-audit.'],
    [{ system: 'tuch' }, 'Did you mean "touch"?'],
  ])('is refused where none can: %j', (requires, message) => {
    expect(needs(requires)).toThrow(TypeError);
    expect(needs(requires)).toThrow(message);
  });
});

it('deny is nothing that a topic may need, not even where a host lists it', () => {
  const rights = defineRights({ namespace: { capabilities: ['x', 'deny'] } });
  expect(() => rights.requireKnown({ namespace: 'x' }, 'Topic "Job"')).not.toThrow();
  expect(() => rights.requireKnown({ namespace: 'deny' } as never, 'Topic "Job"')).toThrow('known: x.');
});

it('a level without a name may be given, and is not listed among those that may', () => {
  const rights = defineRights({ node: { capabilities: ['x'], levels: { '': [], read: ['x'] } } }) as unknown as Rights;
  expect(granted({ node: { policy: '' } }, rights)).toEqual([['node', { '': [] }]]);
  expect(() => granted({ node: { policy: 'all' } }, rights)).toThrow('unknown policy "all"; allowed: read, deny.');
});

describe('a definition of rights', () => {
  it.each<[object, string]>([
    [{}, 'at least one block'],
    [{ '': { capabilities: [] } }, 'needs a name that is not empty or "*"'],
    [{ '*': { capabilities: [] } }, 'needs a name that is not empty or "*"'],
    [{ a: { capabilities: [''] } }, 'a": capabilities must be a list of names'],
    [{ a: { capabilities: ['*'] } }, 'a": capabilities must be a list of names'],
    [{ a: { capabilities: ['x'], byLevel: [7] } }, 'a": byLevel must be a list of names'],
    [{ a: { capabilities: ['x'], levels: { l: ['y'] } } }, 'a": level "l" names "y", which is none of: x, deny.'],
    [{ a: { capabilities: ['x'], levels: { deny: ['x'] } } }, 'a": level "deny" cannot mean anything else.'],
    [{ a: { capabilities: ['x'], levels: { deny: [] } } }, 'a": level "deny" cannot mean anything else.'],
    [{ a: { capabilities: ['x'], levels: { deny: ['deny', 'x'] } } }, 'level "deny" cannot mean anything else.'],
    [{ a: { capabilities: ['x'], implies: { y: ['x'] } } }, 'a": implies "y" names "y"'],
    [{ a: { capabilities: ['x'], members: { note: 'text' } } }, 'members.note must be a function'],
  ])('is refused as %j', (definition, message) => {
    expect(() => defineRights(definition as never)).toThrow(TypeError);
    expect(() => defineRights(definition as never)).toThrow(message);
  });

  it('is none that is no object', () => {
    for (const no of [undefined, null, 'text', {}])
      expect(() => defineRights(no as never)).toThrow(/^defineRights takes an object of at least one block; got /);
  });

  it('has one key for equal words, and another for others', () => {
    expect(shopRights().key).toBe(shopRights().key);
    const one = defineRights({ a: { capabilities: ['x'] } });
    for (const other of [
      { b: { capabilities: ['x'] } },
      { a: { capabilities: ['x'], isNamed: true } },
      { a: { capabilities: ['x'], alias: 'b' } },
    ])
      expect(defineRights(other).key).not.toBe(one.key);
  });
});

describe('rules without rights', () => {
  it('list any capability, and have no level but deny', () => {
    expect(granted({ namespace: { a: { capabilities: ['any'] } }, other: { policy: 'deny' } }, openRights)).toEqual([
      ['namespace', { a: ['any'] }],
      ['other', { '': ['deny'] }],
    ]);
    for (const rules of [{ other: { policy: 'read' } }, { other: { capabilities: [''] } }, { other: { field: 1 } }])
      expect(() => granted(rules, openRights)).toThrow(expect.objectContaining({ code: 'bad_request' }));
    expect(() => granted({ namespaces: { a: {} } }, openRights)).toThrow('Did you mean "namespace"?');
  });

  it('are kept by their form for somebody who has the rights', () => {
    const form = (rules: object) => () => granted(rules, formOnly);
    expect(form({ region: { eu: { policy: 'any' } }, system: { policy: 'any' } })()).toEqual([
      ['region', { eu: [] }],
      ['system', { '': [] }],
    ]);
    expect(form({ region: { eu: [{ capabilities: ['x'] }, {}] } })()).toEqual([['region', { eu: ['x'] }]]);
    expect(form({ variables: { path: { a: { capabilities: ['x'] } } } })).not.toThrow();
  });

  it('may have members that those rights know, which hold more than a text or a list of texts', () => {
    const form = (rule: object) => () => granted({ system: rule }, formOnly);
    for (const rule of [{ tags: ['x', {}] }, { tags: ['x', 7] }, { limit: 7 }, { limit: null, tags: {} }])
      expect(form(rule)()).toEqual([['system', { '': [] }]]);
  });

  it.each<[unknown, string]>([
    [{ polcy: 'read' }, 'system: unknown field "polcy"; allowed: policy, capabilities. Did you mean "policy"?'],
    [{ capabilties: ['x', 'y'] }, 'system: unknown field "capabilties"'],
    [{ eu: 'read' }, 'system: unknown field "eu"'],
    [{ eu: {}, us: 'read' }, 'system: unknown field "us"'],
    [null, 'system must be an object; got null.'],
    [7, 'system must be an object; got 7.'],
  ])('are refused where their form tells a mistake: %j', (rule, message) => {
    expect(() => granted({ system: rule }, formOnly)).toThrow(expect.objectContaining({ code: 'bad_request' }));
    expect(() => granted({ system: rule }, formOnly)).toThrow(message);
  });

  it('meet what a topic needs', () => {
    const acl = Acl.fromRules([{ namespace: { a: { capabilities: ['x'] } }, other: { capabilities: ['y'] } }] as never);
    expect([acl.meets({ namespace: 'x' } as never, 'a'), acl.meets({ namespace: 'x' } as never, 'b')]).toEqual([
      true,
      false,
    ]);
    expect([acl.meets({ other: 'y' } as never, ''), acl.meets({ other: 'x' } as never, '')]).toEqual([true, false]);
    expect([acl.meets('anyone', 'b'), acl.meets('management', 'a')]).toEqual([true, false]);
  });
});
