import { describe, expect, it } from 'vitest';

import { Acl } from '../../src/acl/acl.ts';
import type { PolicyRules } from '../../src/acl/policy-rules.ts';
import { defineRights } from '../../src/index.ts';
import type { TopicRequirement } from '../../src/model/topic-definition.ts';
import { nomadRights } from '../../src/nomad/index.ts';
import type { Rights } from '../../src/acl/rights.ts';

const rights: Rights = nomadRights;

const readJob: TopicRequirement = { namespace: 'read-job' };
const readNode: TopicRequirement = { node: 'read' };
const writeNode: TopicRequirement = { node: 'write' };
const readOperator: TopicRequirement = { operator: 'read' };
const readPool: TopicRequirement = { nodePool: 'read' };

const level = (policy: string, ...names: string[]): PolicyRules => ({
  namespace: Object.fromEntries(names.map((name) => [name, { policy }])),
});
const list = (name: string, ...capabilities: string[]): PolicyRules => ({ namespace: { [name]: { capabilities } } });

describe('what an Acl may see', () => {
  it.each<[string, PolicyRules[], TopicRequirement, string, boolean]>([
    ['no rules', [], readJob, 'default', false],
    ['no rules', [], 'anyone', 'default', true],
    ['no rules', [], 'management', 'default', false],
    [
      'every rule',
      [level('write', '*'), { node: { policy: 'write' }, operator: { policy: 'write' } }],
      'management',
      'default',
      false,
    ],
    ['read in the namespace', [level('read', 'default')], readJob, 'default', true],
    ['read in another namespace', [level('read', 'other')], readJob, 'default', false],
    ['write includes reading', [level('write', 'default')], readJob, 'default', true],
    ['scale includes reading jobs', [level('scale', 'default')], readJob, 'default', true],
    ['scale includes no volumes', [level('scale', 'default')], { namespace: 'csi-read-volume' }, 'default', false],
    ['deny', [level('deny', 'default')], readJob, 'default', false],
    ['deny is nothing to hold', [level('deny', 'default')], { namespace: 'deny' }, 'default', false],
    ['the capability alone', [list('default', 'read-job')], readJob, 'default', true],
    ['another capability', [list('default', 'list-jobs')], readJob, 'default', false],
    ['a name is no beginning of others', [level('read', 'prod')], readJob, 'prod-web', false],
    ['nor an end of others', [level('read', 'web')], readJob, 'prod-web', false],
    ['nor a part of others', [level('read', 'aa')], readJob, 'aaa', false],
    ['a glob', [level('read', 'prod-*')], readJob, 'prod-web', true],
    ['a glob that does not match', [level('read', 'prod-*')], readJob, 'dev-web', false],
    ['a glob with several *', [level('read', 'a*b*c')], readJob, 'axxbyyc', true],
    ['the closest glob denies', [level('read', '*'), level('deny', 'prod-*')], readJob, 'prod-web', false],
    ['the closest glob grants', [level('deny', '*'), level('read', 'prod-*')], readJob, 'prod-web', true],
    ['an exact name before a glob', [level('deny', 'prod-*'), level('read', 'prod-web')], readJob, 'prod-web', true],
    [
      'rules of different globs are not merged',
      [level('read', '*'), list('prod-*', 'list-jobs')],
      readJob,
      'prod-web',
      false,
    ],
    ['of equally close globs, one that denies', [level('read', 'a*c'), level('deny', 'ab*')], readJob, 'abc', false],
    ['and the other way round', [level('deny', 'a*c'), level('read', 'ab*')], readJob, 'abc', false],
    [
      'a closer glob before one that denies',
      [level('read', 'ab*'), level('deny', 'a*'), level('deny', '*c')],
      readJob,
      'abc',
      true,
    ],
    ['two policies on one name add up', [list('a', 'list-jobs'), list('a', 'read-job')], readJob, 'a', true],
    ['two policies on one name, one denies', [level('write', 'a'), level('deny', 'a')], readJob, 'a', false],
    ['deny among capabilities', [list('a', 'read-job', 'deny')], readJob, 'a', false],
    ['all namespaces through *', [level('read', '*')], readJob, '*', true],
    ['all namespaces through a single one', [level('read', 'default')], readJob, '*', false],
    ['all namespaces through a glob that is not *', [level('read', 'prod-*')], readJob, '*', false],
    ['all namespaces, * denies', [level('read', 'default'), level('deny', '*')], readJob, '*', false],
    ['node read', [{ node: { policy: 'read' } }], readNode, 'default', true],
    ['node write includes read', [{ node: { policy: 'write' } }], readNode, 'default', true],
    ['node read is not write', [{ node: { policy: 'read' } }], writeNode, 'default', false],
    [
      'node: deny wins over write',
      [{ node: { policy: 'write' } }, { node: { policy: 'deny' } }],
      readNode,
      'default',
      false,
    ],
    [
      'node: write wins over read',
      [{ node: { policy: 'read' } }, { node: { policy: 'write' } }],
      writeNode,
      'default',
      true,
    ],
    ['node rights are no operator rights', [{ node: { policy: 'write' } }], readOperator, 'default', false],
    ['operator read', [{ operator: { policy: 'read' } }], readOperator, 'default', true],
    [
      'operator capability is no level',
      [{ operator: { capabilities: ['license-read'] } }],
      readOperator,
      'default',
      false,
    ],
    [
      'operator deny among capabilities',
      [{ operator: { policy: 'read', capabilities: ['deny'] } }],
      readOperator,
      'default',
      false,
    ],
    ['all node pools', [{ node_pool: { '*': { policy: 'read' } } }], readPool, 'default', true],
    ['one node pool', [{ node_pool: { gpu: { policy: 'read' } } }], readPool, 'default', false],
    [
      'all node pools but one',
      [{ node_pool: { '*': { policy: 'read' }, gpu: { policy: 'deny' } } }],
      readPool,
      'default',
      false,
    ],
    ['agent rights are nothing here', [{ agent: { policy: 'write' } }], readNode, 'default', false],
  ])('%s', (_, rules, requirement, namespace, expected) => {
    expect(Acl.fromRules(rules, { rights }).meets(requirement, namespace)).toBe(expected);
    expect(Acl.fromRules(rules, { rights }).sees(requirement, namespace)).toBe(expected);
  });

  it('management meets and sees everything, whatever the rules', () => {
    const acl = Acl.fromRules([level('deny', '*'), { node: { policy: 'deny' } }], {
      rights,
      management: true,
    });
    for (const requirement of [readJob, readNode, readPool, 'management', 'anyone'] as const) {
      for (const each of [acl, Acl.management]) {
        expect(each.meets(requirement, '*')).toBe(true);
        expect(each.sees(requirement, 'a')).toBe(true);
      }
    }
  });

  it('a subscription to all namespaces sees no event of one that a closer rule denies', () => {
    const acl = Acl.fromRules([level('read', '*'), level('deny', 'secret-*')], { rights });
    expect(acl.meets(readJob, '*')).toBe(true);
    expect(acl.sees(readJob, 'secret-1')).toBe(false);
    expect(acl.sees(readJob, 'created-later')).toBe(true);
  });

  it('an event without namespace is seen by whoever holds the capability in some namespace', () => {
    expect(Acl.fromRules([level('read', 'a')], { rights }).sees(readJob, '')).toBe(true);
    expect(Acl.fromRules([level('deny', 'a'), list('b', 'list-jobs')], { rights }).sees(readJob, '')).toBe(false);
  });
});

describe('an Acl', () => {
  it('is frozen, with its lists', () => {
    const acl = Acl.fromRules([], { rights, dependsOn: ['token:a'] });
    expect(Object.isFrozen(acl) && Object.isFrozen(acl.dependsOn)).toBe(true);
  });

  it('keeps its rights when the rules that it was made of change', () => {
    const rules = { namespace: { a: { policy: 'read' } } };
    const acl = Acl.fromRules([rules], { rights });
    rules.namespace.a.policy = 'deny';
    expect(acl.meets(readJob, 'a')).toBe(true);
  });

  it('names what it depends on once, in order', () => {
    expect(Acl.fromRules([], { rights, dependsOn: ['token:b', 'policy:a', 'token:b'] }).dependsOn).toEqual([
      'policy:a',
      'token:b',
    ]);
  });

  it('has no facts unless told', () => {
    expect(Acl.fromRules([], { rights })).toMatchObject({
      isManagement: false,
      accessorId: undefined,
      expiresAt: undefined,
      dependsOn: [],
    });
    expect(Acl.management).toMatchObject({
      isManagement: true,
      expiresAt: undefined,
      dependsOn: [],
      rightsKey: 'management',
    });
  });

  it('has the facts that it is told', () => {
    const claims = { team: 1 };
    const facts = { accessorId: 'a', expiresAt: 5, dependsOn: ['role:r'], claims, perAccessor: true, rights } as const;
    expect(Acl.fromRules([], { ...facts, management: false })).toMatchObject({
      accessorId: 'a',
      expiresAt: 5,
      dependsOn: ['role:r', 'token:a'],
      claims,
      isPerAccessor: true,
      isManagement: false,
    });
  });

  it('can be taken away by a change of something, or by time, and else never', () => {
    for (const facts of [{ accessorId: 'a' }, { dependsOn: ['policy:p'] as const }, { expiresAt: 1 }])
      expect(Acl.fromRules([], facts).isRevocable).toBe(true);
    expect(Acl.fromRules([]).isRevocable).toBe(false);
    expect(Acl.management.isRevocable).toBe(false);
  });

  it('is asked for all of an accessor only where there is an accessor', () => {
    expect(Acl.fromRules([], { perAccessor: true }).isPerAccessor).toBe(false);
    expect(Acl.fromRules([], { perAccessor: false, accessorId: 'a' }).isPerAccessor).toBe(false);
    expect(Acl.fromRules([], { accessorId: 'a' }).isPerAccessor).toBe(false);
  });

  it('meets no need in words that its rights do not have, and says so', () => {
    const few = defineRights({ namespace: { capabilities: ['x'] } }) as unknown as Rights;
    const acl = Acl.fromRules([{ namespace: { '*': { capabilities: ['x'] } } }], { rights: few });
    expect([acl.meets({ cluster: 'x' }, '*'), acl.sees({ cluster: 'x' }, 'a')]).toEqual([false, false]);
    expect(acl.namespacesFor({ cluster: 'x' })).toBeUndefined();
    expect(acl.judge({ cluster: 'x' }, '*')).toEqual({ isMet: false, reason: 'No rule applies to cluster.' });
  });

  const dependsOnFault = (got: string) =>
    `dependsOn must be a list of 'token:<accessorId>', 'policy:<name>' or 'role:<id>'; got ${got}.`;

  it.each<[object, string]>([
    [
      { expiresAt: Number.NaN },
      'expiresAt must be a finite number of milliseconds since 1970, or undefined for never.',
    ],
    [{ expiresAt: Infinity }, 'expiresAt must be a finite number of milliseconds since 1970, or undefined for never.'],
    [{ accessorId: '' }, 'accessorId must be a text that is not empty; got "".'],
    [{ accessorId: 42 }, 'accessorId must be a text that is not empty; got 42.'],
    [{ management: 'false' }, 'management must be true or false; got "false".'],
    [{ perAccessor: 1 }, 'perAccessor must be true or false; got 1.'],
    [{ dependsOn: 'policy:p' }, dependsOnFault('"policy:p"')],
    [{ dependsOn: ['policy:p', 'policies:p'] }, dependsOnFault('"policies:p"')],
    [{ dependsOn: ['a policy:p'] }, dependsOnFault('"a policy:p"')],
    [{ dependsOn: ['policy:'] }, dependsOnFault('"policy:"')],
    [{ dependsOn: [['policy:p']] }, dependsOnFault('an array')],
    [{ dependsOn: [{ policy: 'p' }] }, dependsOnFault('a value of type object')],
    [
      { accessor: 'a' },
      'Acl.fromRules has no option "accessor". Did you mean "accessorId"? ' +
        'Known: accessorId, claims, dependsOn, expiresAt, management, perAccessor, rights.',
    ],
  ])('refuses %o: it would be rights that nobody gave, or that nobody can take away', (facts, message) => {
    expect(() => Acl.fromRules([], facts)).toThrow(new TypeError(message));
  });

  it.each([undefined, null, 'rules', { namespace: {} }])('takes rules as a list, not as %j', (rules) => {
    expect(() => Acl.fromRules(rules as never)).toThrow(/^Acl\.fromRules takes a list of rules; got /);
  });

  it('tells nothing of its holder in its sight key', () => {
    const acl = Acl.fromRules([level('read', 'a')], {
      rights,
      accessorId: 'holder',
      dependsOn: ['token:holder', 'role:r'],
      expiresAt: 5,
    });
    expect(acl.rightsKey).toBe(Acl.fromRules([level('read', 'a')], { rights }).rightsKey);
    expect(acl.rightsKey).not.toContain('holder');
  });
});
