// Rules against a model of them.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Acl } from '../../src/acl/acl.ts';
import type { PolicyRules } from '../../src/acl/policy-rules.ts';
import type { Rights } from '../../src/acl/rights.ts';
import type { TopicRequirement } from '../../src/model/topic-definition.ts';
import { nomadRights } from '../../src/nomad/index.ts';

const rights: Rights = nomadRights;

const readJob: TopicRequirement = { namespace: 'read-job' };

const deny = (name: string): PolicyRules => ({ namespace: { [name]: { policy: 'deny' } } });
const list = (name: string, ...capabilities: string[]): PolicyRules => ({ namespace: { [name]: { capabilities } } });

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

describe('an Acl', () => {
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
        const acl = Acl.fromRules([...asPolicies(rules), deny(namespace)], { rights });
        expect(acl.meets(readJob, namespace)).toBe(false);
      }),
    );
  });
});
