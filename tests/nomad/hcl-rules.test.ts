import { describe, expect, it } from 'vitest';

import { Acl } from '../../src/acl/acl.ts';
import type { PolicyRules } from '../../src/acl/policy-rules.ts';
import { nomadRights } from '../../src/nomad/rights.ts';
import type { Rights } from '../../src/acl/rights.ts';
import { BrokerError } from '../../src/model/errors.ts';

/** As a store with these rights reads it. */
function rulesFromText(text: string): PolicyRules | Promise<PolicyRules> {
  const rules = nomadRights.fromText(text);
  return rules instanceof Promise ? rules.then((late) => nomadRights.freeze(late)) : nomadRights.freeze(rules);
}

const hcl = `
# a tenant
namespace "default" {
  policy       = "read"
  capabilities = ["read-job", "scale-job"]
  variables {
    path "x/*" { capabilities = ["read"] }
    path "y/*" { capabilities = ["list", "write"] }
  }
}
namespace "default" { capabilities = ["read-logs"] }
namespace "prod-*" { policy = "deny" }
node_pool "*" { policy = "read" }
host_volume "ca-*" { policy = "read" }
/* and the cluster */
node { policy = "read" }
operator { policy = "write" }
agent { policy = "read" } // the rest is ignored
plugin { policy = "list" }
`;

const asObject: PolicyRules = {
  namespace: {
    default: [
      {
        policy: 'read',
        capabilities: ['read-job', 'scale-job'],
        variables: { path: { 'x/*': { capabilities: ['read'] }, 'y/*': { capabilities: ['list', 'write'] } } },
      },
      { capabilities: ['read-logs'] },
    ],
    'prod-*': { policy: 'deny' },
  },
  node_pool: { '*': { policy: 'read' } },
  host_volume: { 'ca-*': { policy: 'read' } },
  node: { policy: 'read' },
  operator: { policy: 'write' },
  agent: { policy: 'read' },
  plugin: { policy: 'list' },
};

async function failureOf(text: string): Promise<BrokerError> {
  const failure: unknown = await Promise.resolve()
    .then(() => rulesFromText(text))
    .then(
      () => new Error('accepted'),
      (error: unknown) => error,
    );
  if (!BrokerError.is(failure)) throw failure;
  return failure;
}

const rights: Rights = nomadRights;

describe('rules as text', () => {
  it('HCL, JSON and objects of the same rules mean the same', async () => {
    const fromHcl = await rulesFromText(hcl);
    const fromJson = rulesFromText(JSON.stringify(asObject)) as PolicyRules;
    expect(nomadRights.parse(fromHcl)).toEqual(nomadRights.parse(asObject));
    expect(nomadRights.parse(fromJson)).toEqual(nomadRights.parse(asObject));
    expect(Acl.fromRules([fromHcl], { rights }).rightsKey).toBe(Acl.fromRules([asObject], { rights }).rightsKey);
  });

  it('JSON needs no promise, and neither does empty text', () => {
    expect(rulesFromText(' \n{"node":{"policy":"read"}}')).toEqual({ node: { policy: 'read' } });
    expect(rulesFromText(' \n')).toEqual({});
  });

  it('HCL of comments alone has no rules', async () => {
    expect(await rulesFromText('# nothing yet\n')).toEqual({});
  });

  it.each([
    [
      'namespace "default" { capabilities = ["read-jobs"] }',
      'namespace "default": unknown capability "read-jobs"; allowed: deny,',
    ],
    ['namespace "default" { policy = "reed" }', 'namespace "default": unknown policy "reed"; allowed: read,'],
    ['nodes { policy = "read" }', 'policy rules: unknown block "nodes"; allowed: namespace,'],
    ['namespace { policy = "read" }', 'namespace: must be written as a block: namespace "<name>" { … }'],
    ['namespace "a" { policy = "${var.level}" }', 'namespace "a": unknown policy "${var.level}"; allowed: read,'],
    ['node { policy = "deny" ', 'policy rules are not well-formed HCL: '],
    ['{"node": ', 'policy rules are not well-formed JSON: '],
    ['{"nodes":{}}', 'policy rules: unknown block "nodes"; allowed: namespace,'],
  ])('%s is refused', async (text, message) => {
    const failure = await failureOf(text);
    expect(failure.code).toBe('bad_request');
    expect(failure.message).toContain(message);
  });

  it.each([
    'node = { policy = "read" }\nnode { policy = "deny" }',
    'node_pool = { a = { policy = "read" } }',
    'nodePool = { a = { policy = "read" } }\nnodePool "a" { policy = "deny" }',
  ])('an attribute where a block belongs is refused, so that it hides no deny: %j', async (text) => {
    expect((await failureOf(text)).message).toContain('must be written as a block');
  });
});
