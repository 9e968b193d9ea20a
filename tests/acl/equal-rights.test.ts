import { describe, expect, it } from 'vitest';

import { Acl, defineRights } from '../../src/index.ts';
import { nomadRights } from '../../src/nomad/index.ts';

const read = { default: { policy: 'read' } } as const;
const aclOf = (namespace: object, facts: object = {}) =>
  Acl.fromRules([{ namespace } as never], { rights: nomadRights, accessorId: 'a', ...facts });
const openAcl = (...rules: object[]) => Acl.fromRules(rules as never, { accessorId: 'a' });

describe('the key of rights', () => {
  it.each<[string, () => Acl]>([
    ['a namespace more', () => aclOf({ ...read, prod: { policy: 'read' } })],
    ['another namespace', () => aclOf({ prod: { policy: 'read' } })],
    ['another level', () => aclOf({ default: { policy: 'write' } })],
    ['a capability less', () => aclOf({ default: { capabilities: ['read-job'] } })],
    ['a namespace that is denied', () => aclOf({ ...read, '*': { policy: 'deny' } })],
    ['nothing', () => aclOf({})],
    ['everything', () => Acl.management],
    ['words of other rights', () => openAcl({ namespace: { default: { capabilities: ['read-job'] } } })],
  ])('is another one with %s: who shares an interest sees the same', (_, make) => {
    expect(make().rightsKey).not.toBe(aclOf(read).rightsKey);
  });

  it('is the same for rules that grant the same, in whatever order and parts they stand', () => {
    const one = openAcl({
      namespace: { b: { capabilities: ['x', 'y'] }, a: { capabilities: ['x'] } },
      node: { capabilities: ['r'] },
    });
    const parts = openAcl(
      { node: { capabilities: ['r'] }, namespace: { a: { capabilities: ['x'] }, b: { capabilities: ['y'] } } },
      { namespace: { b: { capabilities: ['x', 'y', 'x'] } } },
    );
    expect(parts.rightsKey).toBe(one.rightsKey);
    const denied = openAcl({ namespace: { a: { capabilities: ['x', 'deny'] } } });
    expect(denied.rightsKey).toBe(openAcl({ namespace: { a: { capabilities: ['deny'] } } }).rightsKey);
  });

  it('is the same whatever stands in blocks that count for nothing', () => {
    const rights = defineRights({
      namespace: { capabilities: ['x'] },
      quota: { capabilities: ['q'], isIgnored: true },
    });
    const rules = { namespace: { a: { capabilities: ['x'] } } } as const;
    const plain = Acl.fromRules([rules], { rights });
    expect(Acl.fromRules([{ ...rules, quota: { capabilities: ['q'] } } as never], { rights }).rightsKey).toBe(
      plain.rightsKey,
    );
  });
});

describe('the namespaces that rights tell', () => {
  const need = { namespace: 'read-job' } as const;

  it.each<[string, () => Acl, readonly string[] | undefined]>([
    ['names', () => aclOf({ b: { policy: 'read' }, a: { policy: 'read' }, c: { policy: 'deny' } }), ['a', 'b']],
    ['none', () => aclOf({ c: { policy: 'deny' } }), []],
    ['a name with a star', () => aclOf({ a: { policy: 'read' }, 'b-*': { policy: 'read' } }), undefined],
    ['a star that grants nothing', () => aclOf({ a: { policy: 'read' }, '*': { policy: 'deny' } }), ['a']],
    ['management', () => Acl.management, undefined],
  ])('are those of %s', (_, make, expected) => {
    expect(make().namespacesFor(need)).toEqual(expected);
  });

  it('are not told for what names do not decide', () => {
    for (const requirement of ['anyone', 'management', { node: 'read' }] as const)
      expect(aclOf(read).namespacesFor(requirement as never)).toBeUndefined();
  });
});
