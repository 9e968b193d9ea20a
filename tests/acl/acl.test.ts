import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Acl } from '../../src/acl/acl.ts';
import type { PolicyRules } from '../../src/acl/policy-rules.ts';
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

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('refuses to expire at %s', (expiresAt) => {
    expect(() => Acl.fromRules([], { rights, expiresAt })).toThrow(TypeError);
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

// The model: rules as plain data, each question answered by the words of the rule.

interface ModelRule {
  readonly name: string;
  readonly capabilities: readonly string[];
}

function globToRegExp(name: string): RegExp {
  return new RegExp(`^${name.split('*').join('.*')}$`, 's');
}

function literals(name: string): number {
  return name.replaceAll('*', '').length;
}

/** undefined: two different rules are equally close, so the answer is ours to choose. */
function modelGrants(rules: readonly ModelRule[], namespace: string, capability: string): boolean | undefined {
  const exact = rules.filter(({ name }) => name === namespace);
  const globs = rules.filter(({ name }) => name.includes('*') && globToRegExp(name).test(namespace));
  const most = Math.max(...globs.map(({ name }) => literals(name)));
  const deciding = exact.length > 0 ? exact : globs.filter(({ name }) => literals(name) === most);
  if (new Set(deciding.map(({ name }) => name)).size > 1) return undefined;
  const granted = new Set(deciding.flatMap(({ capabilities }) => capabilities));
  return granted.has(capability) && !granted.has('deny');
}

const names = fc.array(fc.constantFrom('a', 'b', '*'), { minLength: 1, maxLength: 5 }).map((parts) => parts.join(''));
const namespaces = fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 5 }).map((parts) => parts.join(''));
const capabilities = fc.subarray(['read-job', 'list-jobs', 'read-fs', 'deny']);
const modelRules = fc.array(fc.record({ name: names, capabilities }), { maxLength: 6 });

const asPolicies = (rules: readonly ModelRule[]): PolicyRules[] =>
  rules.map(({ name, capabilities: granted }) => list(name, ...granted));

describe('Acl properties', () => {
  it('grants in a namespace what the model grants', () => {
    fc.assert(
      fc.property(modelRules, fc.oneof(namespaces, fc.constant('*')), (rules, namespace) => {
        const expected = modelGrants(rules, namespace, 'read-job');
        fc.pre(expected !== undefined);
        expect(Acl.fromRules(asPolicies(rules), { rights }).meets(readJob, namespace)).toBe(expected);
      }),
      { numRuns: 3000 },
    );
  });

  it('asks neither in which order policies come, nor how rules are spread over them', () => {
    fc.assert(
      fc.property(modelRules, namespaces, (rules, namespace) => {
        const policies = asPolicies(rules);
        const together: PolicyRules = {
          namespace: policies.map((policy) => policy.namespace as Record<string, Record<string, unknown>>),
        };
        const keys = [policies, policies.toReversed(), [together]].map(
          (each) => Acl.fromRules(each, { rights }).rightsKey,
        );
        const sights = [policies, policies.toReversed(), [together]].map((each) =>
          Acl.fromRules(each, { rights }).sees(readJob, namespace),
        );
        expect(new Set(keys).size).toBe(1);
        expect(new Set(sights).size).toBe(1);
      }),
    );
  });

  it('gives equal sight keys only to those who see the same', () => {
    fc.assert(
      fc.property(modelRules, modelRules, namespaces, (some, others, namespace) => {
        const [a, b] = [Acl.fromRules(asPolicies(some), { rights }), Acl.fromRules(asPolicies(others), { rights })];
        fc.pre(a.sees(readJob, namespace) !== b.sees(readJob, namespace));
        expect(a.rightsKey).not.toBe(b.rightsKey);
      }),
      { numRuns: 500 },
    );
  });

  it('never loses a denial of a name by adding rules for that name', () => {
    fc.assert(
      fc.property(modelRules, namespaces, (rules, namespace) => {
        const acl = Acl.fromRules([...asPolicies(rules), level('deny', namespace)], { rights });
        expect(acl.meets(readJob, namespace)).toBe(false);
      }),
    );
  });
});
