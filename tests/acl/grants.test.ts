import { describe, expect, it } from 'vitest';

import type { AclStore } from '../../src/acl/acl-store.ts';
import { gatherGrants, rulesOf } from '../../src/acl/grants.ts';
import { openRights } from '../../src/acl/rights.ts';
import { AclResolver } from '../../src/index.ts';

const store = (answers: Partial<AclStore>): AclStore => ({
  tokenBySecretId: () => undefined,
  policyByName: () => undefined,
  roleById: () => undefined,
  ...answers,
});
const policy = (name: string) => ({ name, rules: { node: { capabilities: [name] } } });

describe('what a store knows of a secret', () => {
  it.each([undefined, ''])(
    'without one (%j) is the policy named anonymous, and no token is asked for',
    async (secret) => {
      const asked: string[] = [];
      const grants = await gatherGrants(
        store({
          tokenBySecretId: (one) => (asked.push(one), undefined),
          policyByName: (name) => (name === 'anonymous' ? policy(name) : undefined),
        }),
        secret,
        openRights,
      );
      expect(asked).toEqual([]);
      expect(grants).toMatchObject({
        holder: 'anonymous',
        accessorId: undefined,
        expiresAt: undefined,
        claims: undefined,
        missingRoles: [],
        policies: [{ name: 'anonymous', isDirect: true, roles: [] }],
        dependsOn: ['policy:anonymous'],
      });
      expect(rulesOf(grants.policies)).toHaveLength(1);
    },
  );

  it.each([undefined, null])('is nothing where the store answers with %j', async (answer) => {
    const nothing = store({ tokenBySecretId: () => answer });
    expect(await gatherGrants(nothing, 'secret', openRights)).toEqual({
      holder: 'unknown',
      accessorId: undefined,
      expiresAt: undefined,
      claims: undefined,
      policies: [],
      missingRoles: [],
      dependsOn: [],
    });
    await expect(new AclResolver({ store: nothing }).resolve('secret')).rejects.toMatchObject({
      code: 'permission_denied',
      cause: { reason: 'unknown' },
    });
  });

  it('of management is everything: no policy is asked for, and it depends on its token', async () => {
    const token = {
      accessorId: 'root',
      secretId: 's',
      type: 'management',
      policies: ['p'],
      expirationTime: 9e15,
      claims: { team: 1 },
    } as const;
    const acl = await new AclResolver({ store: store({ tokenBySecretId: () => token }) }).resolve('s');
    expect(acl).toMatchObject({
      isManagement: true,
      accessorId: 'root',
      expiresAt: 9e15,
      claims: { team: 1 },
      dependsOn: ['token:root'],
    });
  });

  it.each([undefined, null])('may have %j where it has no policies and no roles', async (none) => {
    const token = { accessorId: 'a', secretId: 's', type: 'client', policies: none, roles: none } as const;
    const acl = await new AclResolver({ store: store({ tokenBySecretId: () => token }) }).resolve('s');
    expect(acl.dependsOn).toEqual(['token:a']);
  });

  it('is each policy once, with all ways to it', async () => {
    const token = {
      accessorId: 'a',
      secretId: 's',
      type: 'client',
      policies: ['own'],
      roles: [{ id: 'r1' }, { id: 'r2' }, { id: 'lost' }, { id: 'empty' }],
    } as const;
    const roles = {
      r1: { id: 'r1', name: 'first', policies: [{ name: 'own' }, { name: 'shared' }] },
      r2: { id: 'r2', policies: [{ name: 'shared' }, { name: 'gone' }] },
      empty: { id: 'empty', policies: null },
    };
    const asked: string[] = [];
    const grants = await gatherGrants(
      store({
        tokenBySecretId: () => token,
        roleById: (id) => roles[id as 'r1'],
        policyByName: (name) => (asked.push(name), name === 'gone' ? null : policy(name)),
      }),
      's',
      openRights,
    );
    expect(asked.toSorted()).toEqual(['gone', 'own', 'shared']);
    expect(grants.policies.map(({ name, isDirect, roles: via }) => [name, isDirect, via])).toEqual([
      ['own', true, [{ id: 'r1', name: 'first' }]],
      ['shared', false, [{ id: 'r1', name: 'first' }, { id: 'r2' }]],
      ['gone', false, [{ id: 'r2' }]],
    ]);
    expect(rulesOf(grants.policies)).toHaveLength(2);
    expect(grants.missingRoles).toEqual(['lost']);
    expect([...grants.dependsOn].toSorted()).toEqual([
      'policy:gone',
      'policy:own',
      'policy:shared',
      'role:empty',
      'role:lost',
      'role:r1',
      'role:r2',
    ]);
  });
});
