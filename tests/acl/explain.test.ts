import { describe, expect, it } from 'vitest';

import { Acl } from '../../src/acl/acl.ts';
import { AclResolver } from '../../src/acl/acl-resolver.ts';
import { MemoryAclStore } from '../../src/acl/acl-store.ts';
import { explainAcl, findingOf, type AclNeed } from '../../src/acl/explain.ts';
import { nomadRights } from '../../src/nomad/index.ts';

const job: AclNeed = { topic: 'Job', requirement: { namespace: 'read-job' }, namespace: 'prod-web' };
const node: AclNeed = { topic: 'Node', requirement: { node: 'read' }, namespace: 'prod-web' };
const pool: AclNeed = { topic: 'Pool', requirement: { nodePool: 'read' }, namespace: 'prod-web' };
const tokens: AclNeed = { topic: 'ACLToken', requirement: 'management', namespace: 'prod-web' };
const open: AclNeed = { topic: 'Open', requirement: 'anyone', namespace: 'prod-web' };

function resolverWith(): AclResolver {
  const store = new MemoryAclStore();
  store.upsertPolicy({ name: 'prod', rules: { namespace: { 'prod-*': { policy: 'read' }, '*': { policy: 'deny' } } } });
  store.upsertPolicy({ name: 'fence', rules: { namespace: { 'prod-*': { policy: 'deny' } } } });
  store.upsertPolicy({ name: 'nodes', rules: { node: { policy: 'read' } } });
  store.upsertPolicy({ name: 'dev', rules: { namespace: { 'dev-*': { policy: 'read' } } } });
  store.upsertPolicy({ name: 'pools', rules: { node_pool: { '*': { policy: 'read' }, gpu: { policy: 'deny' } } } });
  store.upsertRole({ id: 'r1', name: 'operators', policies: [{ name: 'nodes' }, { name: 'prod' }] });
  store.upsertRole({ id: 'r2', policies: [{ name: 'fence' }] });
  store.upsertToken({
    accessorId: 'ops',
    secretId: 's-ops',
    type: 'client',
    policies: ['prod', 'gone', 'pools', 'dev'],
    roles: [{ id: 'r1' }, { id: 'lost' }],
  });
  store.upsertToken({
    accessorId: 'fenced',
    secretId: 's-fenced',
    type: 'client',
    policies: ['prod'],
    roles: [{ id: 'r2' }],
  });
  store.upsertToken({ accessorId: 'root', secretId: 's-root', type: 'management' });
  store.upsertToken({ accessorId: 'late', secretId: 's-late', type: 'management', expirationTime: 1_000 });
  return new AclResolver({ rights: nomadRights, store, clock: { now: () => 1_000 } });
}

describe('explain', () => {
  it('names the rule, the policy and the ways to it', async () => {
    const explained = await resolverWith().explain('s-ops', [job, node]);
    expect(explained).toMatchObject({ token: 'client', accessorId: 'ops', isAllowed: true });
    expect(explained.findings[0]).toEqual({
      ...job,
      isMet: true,
      reason: 'The rule namespace "prod-*" grants read-job.',
      metBy: [{ policy: 'prod', rule: 'namespace "prod-*"', isDirect: true, roles: [{ id: 'r1', name: 'operators' }] }],
      deniedBy: [],
    });
    expect(explained.findings[1]?.metBy).toEqual([
      { policy: 'nodes', rule: 'node', isDirect: false, roles: [{ id: 'r1', name: 'operators' }] },
    ]);
  });

  it('names links that lead nowhere', async () => {
    expect((await resolverWith().explain('s-ops', [])).missing).toEqual(['role:lost', 'policy:gone']);
  });

  it('names the policy that denies', async () => {
    const explained = await resolverWith().explain('s-fenced', [job, node]);
    expect(explained.isAllowed).toBe(false);
    expect(explained.findings[0]).toMatchObject({
      isMet: false,
      reason: 'The rule namespace "prod-*" denies.',
      metBy: [],
      deniedBy: [{ policy: 'fence', roles: [{ id: 'r2' }] }],
    });
    expect(explained.findings[1]).toMatchObject({ isMet: false, reason: 'No rule applies to node.' });
  });

  it.each<[AclNeed, boolean, string]>([
    [
      { ...job, requirement: { namespace: 'submit-job' } },
      false,
      'The rule namespace "prod-*" applies and does not grant submit-job.',
    ],
    [{ ...job, namespace: 'dev' }, false, 'The rule namespace "*" denies.'],
    [pool, false, 'The rule node_pool "*" and all others of node_pool must grant read.'],
    [{ ...pool, requirement: { quota: 'read' } }, false, 'No rule applies to quota.'],
    [tokens, false, 'It takes a management token.'],
    [open, true, 'Anyone may see this topic.'],
  ])('says why: %j', async (need, isMet, reason) => {
    expect((await resolverWith().explain('s-ops', [need])).findings).toMatchObject([{ isMet, reason }]);
  });

  it('says that a rule is needed under every name, where there is none at all', async () => {
    const { findings } = await resolverWith().explain('s-fenced', [pool]);
    expect(findings[0]?.reason).toBe('No rule applies to node_pool "*".');
  });

  it.each<[string | undefined, string, string | undefined, boolean, string]>([
    ['s-root', 'management', 'root', true, 'A management token may see everything.'],
    ['s-late', 'expired', 'late', false, 'The token has expired.'],
    ['nobody', 'unknown', undefined, false, 'The token is not known.'],
    [undefined, 'anonymous', undefined, false, 'It takes a management token.'],
    ['', 'anonymous', undefined, false, 'It takes a management token.'],
  ])('the token %s is %s', async (secret, token, accessorId, isAllowed, reason) => {
    const { missing, ...explained } = await resolverWith().explain(secret, [tokens]);
    expect(explained).toEqual({
      token,
      accessorId,
      expiresAt: token === 'expired' ? 1_000 : undefined,
      isAllowed,
      findings: [{ ...tokens, isMet: isAllowed, reason, metBy: [], deniedBy: [] }],
      unreadable: [],
    });
    expect(missing).toEqual(token === 'anonymous' ? ['policy:anonymous'] : []);
  });

  it.each([
    [999, 'client'],
    [1_000, 'expired'],
    [1_001, 'expired'],
  ])('a token that ends at 1000 is, at %i, %s', (now, token) => {
    const acl = Acl.fromRules([{ node: { capabilities: ['read'] } }], { accessorId: 'a', expiresAt: 1_000 });
    const isMet = token === 'client';
    expect(explainAcl(acl, [node], now)).toEqual({
      token,
      accessorId: 'a',
      expiresAt: 1_000,
      isAllowed: isMet,
      findings: [
        {
          ...node,
          isMet,
          reason: isMet ? 'The rule node grants read.' : 'The token has expired.',
          metBy: [],
          deniedBy: [],
        },
      ],
      missing: [],
      unreadable: [],
    });
  });

  it('of rights that came from no store names no policy, not even those that deny', () => {
    const acl = Acl.fromRules([{ node: { policy: 'deny' } }]);
    const finding = { ...node, isMet: false, reason: 'The rule node denies.', metBy: [], deniedBy: [] };
    expect(explainAcl(acl, [node], 0)).toMatchObject({ token: 'client', findings: [finding] });
    expect(findingOf(acl, node)).toEqual(finding);
    expect(explainAcl(Acl.management, [node], 0)).toMatchObject({ token: 'management', isAllowed: true });
  });

  it('an unknown or expired token is allowed nothing, even where nothing is needed', async () => {
    expect((await resolverWith().explain('nobody', [])).isAllowed).toBe(false);
    expect((await resolverWith().explain('s-late', [open])).isAllowed).toBe(false);
  });

  it('agrees with what resolve grants', async () => {
    const resolver = resolverWith();
    for (const secret of [undefined, 's-ops', 's-fenced', 's-root']) {
      const acl = await resolver.resolve(secret);
      const { findings } = await resolver.explain(secret, [job, node, pool, tokens, open]);
      for (const finding of findings) expect(finding.isMet).toBe(acl.meets(finding.requirement, finding.namespace));
    }
  });
});
