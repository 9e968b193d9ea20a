import { describe, expect, it } from 'vitest';

import { isForAll, isSame, isStillOf, keyOf } from '../../src/acl/session.ts';
import { Acl, BrokerError } from '../../src/index.ts';
import { nomadRights } from '../../src/nomad/index.ts';

const read = { default: { policy: 'read' } } as const;
const aclOf = (namespace: object, facts: object = {}) =>
  Acl.fromRules([{ namespace } as never], { rights: nomadRights, accessorId: 'a', ...facts });

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
