import { describe, expect, it } from 'vitest';

import { isForAll, isSame, isStillOf, keyOf } from '../../src/acl/session.ts';
import { Acl, BrokerError, defineRights } from '../../src/index.ts';
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

describe('two answers about one user', () => {
  const facts = { expiresAt: 1000, dependsOn: ['policy:p'], claims: { team: 1 } };
  const acl = () => aclOf(read, facts);

  it('are the same where all that counts is', () => {
    expect(isSame(acl(), acl())).toBe(true);
    expect(isForAll({ joined: acl() } as never, acl())).toBe(true);
    expect(isForAll({ joined: undefined } as never, acl())).toBe(true);
    expect(isForAll({ joined: acl() } as never, new BrokerError('acl_unavailable', 'down'))).toBe(true);
  });

  it.each<[string, () => Acl]>([
    ['the rules', () => aclOf({ default: { policy: 'write' } }, facts)],
    ['the claims', () => aclOf(read, { ...facts, claims: { team: 2 } })],
    ['when they end', () => aclOf(read, { ...facts, expiresAt: 2000 })],
    ['what they depend on', () => aclOf(read, { ...facts, dependsOn: ['policy:p', 'role:r'] })],
  ])('are not where they differ in %s', (_, make) => {
    expect(isSame(acl(), make())).toBe(false);
    expect(isSame(make(), acl())).toBe(false);
    expect(isForAll({ joined: acl() } as never, make())).toBe(false);
  });

  it('are not where they are about two, though both depend on the same', () => {
    const [a, b] = ['a', 'b'].map((accessorId) => aclOf(read, { accessorId, dependsOn: ['token:a', 'token:b'] }));
    expect(isSame(a as Acl, b as Acl)).toBe(false);
  });

  it('are not where one name holds what are two names of the other', () => {
    expect(
      isSame(aclOf(read, { dependsOn: ['role:x\nrole:y'] }), aclOf(read, { dependsOn: ['role:x', 'role:y'] })),
    ).toBe(false);
  });
});

describe('whose rights are resolved together', () => {
  const guarded = {} as never;
  const ask = () => Acl.management;

  it('is each token, each function, and who was given rights alone', () => {
    expect(keyOf('secret', aclOf(read), guarded)).toBe('token secret');
    expect(keyOf(undefined, aclOf(read), guarded)).toBe('token ');
    expect(keyOf(ask as never, aclOf(read), guarded)).toBe(ask);
    expect(keyOf(aclOf(read), aclOf(read), guarded)).toBe(guarded);
  });

  it('is an accessor, where the host says so, with one end', () => {
    const per = (accessorId: string, expiresAt?: number) =>
      keyOf(ask as never, aclOf(read, { accessorId, perAccessor: true, ...(expiresAt && { expiresAt }) }), guarded);
    expect(per('a')).toBe(per('a'));
    expect(new Set([per('a'), per('b'), per('a', 5), per('a', 6)]).size).toBe(4);
  });

  it('and an answer for an accessor is still that accessor’s, for all of its streams', () => {
    const acl = aclOf(read, { perAccessor: true });
    const session = { acl, key: keyOf(ask as never, acl, guarded) } as never;
    expect(isStillOf(session, aclOf(read, { perAccessor: true }))).toBe(true);
    expect(isStillOf(session, aclOf(read))).toBe(false);
    expect(isStillOf(session, aclOf(read, { perAccessor: true, accessorId: 'b' }))).toBe(false);
    expect(isStillOf({ acl, key: 'token x' } as never, aclOf(read, { accessorId: 'b' }))).toBe(true);
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
