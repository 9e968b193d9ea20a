import { describe, expect, it } from 'vitest';

import type { PolicyRules } from '../../src/acl/policy-rules.ts';
import { namespaceCapabilities, nomadRights } from '../../src/nomad/rights.ts';
import { BrokerError } from '../../src/model/errors.ts';

function messageOf(rules: unknown): string {
  try {
    nomadRights.freeze(rules as PolicyRules);
  } catch (error) {
    if (BrokerError.is(error) && error.code === 'bad_request') return error.message;
    throw error;
  }
  return 'accepted';
}

function capabilitiesOf(rules: PolicyRules, block: string, name: string): readonly string[] {
  return [...(nomadRights.parse(rules).get(block)?.get(name) ?? [])].toSorted();
}

describe('rules that are refused', () => {
  it.each<[string, unknown, string]>([
    [
      'an unknown block',
      { nodes: { policy: 'read' } },
      'policy rules: unknown block "nodes"; allowed: namespace, node, operator,',
    ],
    [
      'an unknown level',
      { namespace: { default: { policy: 'reed' } } },
      'namespace "default": unknown policy "reed"; allowed: read, write, deny, scale.',
    ],
    [
      'a level of another block',
      { node: { policy: 'list' } },
      'node: unknown policy "list"; allowed: read, write, deny, scale.',
    ],
    [
      'an unknown capability',
      { namespace: { default: { capabilities: ['read-job', 'read-jobs'] } } },
      'namespace "default": unknown capability "read-jobs"; allowed: deny, list-jobs,',
    ],
    [
      'a capability that is no string',
      { namespace: { a: { capabilities: [1] } } },
      'namespace "a": unknown capability 1; allowed:',
    ],
    [
      'capabilities that are no list',
      { namespace: { a: { capabilities: 'read-job' } } },
      'namespace "a" capabilities must be a list of strings; got "read-job".',
    ],
    [
      'capabilities where there are none',
      { node: { capabilities: ['read'] } },
      'node has no capabilities, only a policy.',
    ],
    [
      'an unknown field',
      { namespace: { a: { polcy: 'deny' } } },
      'namespace "a": unknown field "polcy"; allowed: policy, capabilities, variables.',
    ],
    [
      'variables elsewhere',
      { node_pool: { a: { variables: {} } } },
      'node_pool "a": unknown field "variables"; allowed: policy, capabilities.',
    ],
    ['a rule that is no object', { namespace: { a: 'read' } }, 'namespace "a" must be an object; got "read".'],
    ['a rule without its name', { namespace: { policy: 'read' } }, 'namespace "policy" must be an object; got "read".'],
    ['an empty name', { namespace: { '': { policy: 'read' } } }, 'namespace "" needs a name that is not empty.'],
    ['a level of null', { node: { policy: null } }, 'node: unknown policy null; allowed: read, write, deny, scale.'],
    ['rules that are no object', ['node'], 'policy rules must be an object; got an array.'],
    ['a function', { node: { policy: () => 'deny' } }, 'policy rules may hold only objects, lists and strings.'],
    [
      'an unknown capability of a path',
      { namespace: { a: { variables: { path: { 'x/*': { capabilities: ['peek'] } } } } } },
      'namespace "a": variables path "x/*": unknown capability "peek"; allowed: list, read, write, destroy, deny.',
    ],
    [
      'an unknown block of variables',
      { namespace: { a: { variables: { paths: {} } } } },
      'namespace "a": variables: unknown block "paths"; allowed: path.',
    ],
    [
      'an unknown field of a path',
      { namespace: { a: { variables: { path: { x: { policy: 'read' } } } } } },
      'namespace "a": variables path "x": unknown field "policy"; allowed: capabilities.',
    ],
    [
      'a mistake in a block that is otherwise ignored',
      { quota: { policy: 'all' } },
      'quota: unknown policy "all"; allowed: read, write, deny, scale.',
    ],
    [
      'a name that objects inherit',
      { constructor: { policy: 'read' } },
      'policy rules: unknown block "constructor"; allowed:',
    ],
  ])('%s is named with its place', (_, rules, message) => {
    expect(messageOf(rules)).toContain(message);
  });
});

describe('what rules mean', () => {
  it.each(['read', 'write', 'scale'])('level %s in a namespace brings read-job', (policy) => {
    expect(capabilitiesOf({ namespace: { a: { policy } } }, 'namespace', 'a')).toContain('read-job');
  });

  it.each(['read', 'write'])('level %s in a namespace brings the reading of volumes', (policy) => {
    const granted = capabilitiesOf({ namespace: { a: { policy } } }, 'namespace', 'a');
    expect(granted).toEqual(expect.arrayContaining(['csi-read-volume', 'host-volume-read']));
  });

  it('write grants more than read, and neither grants to run commands on a node', () => {
    const read = capabilitiesOf({ namespace: { a: { policy: 'read' } } }, 'namespace', 'a');
    const write = capabilitiesOf({ namespace: { a: { policy: 'write' } } }, 'namespace', 'a');
    expect(write).toEqual(expect.arrayContaining([...read, 'submit-job']));
    expect(read).not.toContain('submit-job');
    expect(write).not.toContain('alloc-node-exec');
  });

  it('writing host volumes includes reading them', () => {
    expect(capabilitiesOf({ namespace: { a: { capabilities: ['host-volume-write'] } } }, 'namespace', 'a')).toEqual([
      'host-volume-create',
      'host-volume-delete',
      'host-volume-read',
      'host-volume-register',
      'host-volume-write',
    ]);
  });

  it('a level and capabilities add up', () => {
    const granted = capabilitiesOf(
      { namespace: { a: { policy: 'read', capabilities: ['submit-job'] } } },
      'namespace',
      'a',
    );
    expect(granted).toEqual(expect.arrayContaining(['read-job', 'submit-job']));
  });

  it('a repeated block adds up, in each way of repeating it', () => {
    const rules: PolicyRules[] = [
      { namespace: { a: [{ capabilities: ['read-job'] }, { capabilities: ['read-fs'] }] } },
      { namespace: [{ a: { capabilities: ['read-job'] } }, { a: { capabilities: ['read-fs'] } }] },
    ];
    for (const each of rules) expect(capabilitiesOf(each, 'namespace', 'a')).toEqual(['read-fs', 'read-job']);
    expect(capabilitiesOf({ node: [{ policy: 'read' }, { policy: 'deny' }] }, 'node', '')).toEqual(['deny', 'read']);
  });

  it('nodePool and hostVolume are node_pool and host_volume', () => {
    expect(nomadRights.parse({ nodePool: { a: { policy: 'read' } }, hostVolume: { b: { policy: 'write' } } })).toEqual(
      nomadRights.parse({ node_pool: { a: { policy: 'read' } }, host_volume: { b: { policy: 'write' } } }),
    );
  });

  it('every capability and every block is accepted', () => {
    const rules: PolicyRules = {
      namespace: {
        a: { capabilities: namespaceCapabilities, variables: { path: { 'x/*': { capabilities: ['list'] } } } },
      },
      node: { policy: 'write' },
      operator: { policy: 'read', capabilities: ['snapshot-save'] },
      node_pool: { '*': { policy: 'write', capabilities: ['delete'] } },
      agent: { policy: 'write' },
      quota: { policy: 'read' },
      plugin: { policy: 'list' },
      host_volume: { 'ca-*': { capabilities: ['mount-readonly'] } },
    };
    expect(messageOf(rules)).toBe('accepted');
  });

  it('names that objects inherit are names like others', () => {
    const rules = JSON.parse(
      '{"namespace":{"__proto__":{"policy":"deny"},"toString":{"policy":"read"}}}',
    ) as PolicyRules;
    expect(capabilitiesOf(rules, 'namespace', '__proto__')).toEqual(['deny']);
    expect(capabilitiesOf(rules, 'namespace', 'toString')).toContain('read-job');
  });
});

describe('frozen rules', () => {
  it('are a copy that nobody can change', () => {
    const given = { namespace: { a: { policy: 'read', capabilities: ['read-fs'] } } };
    const frozen = nomadRights.freeze(given as PolicyRules);
    given.namespace.a.policy = 'deny';
    expect(frozen).toEqual({ namespace: { a: { policy: 'read', capabilities: ['read-fs'] } } });
    expect(Object.isFrozen((frozen.namespace as typeof given.namespace).a.capabilities)).toBe(true);
  });

  it('are frozen once', () => {
    const frozen = nomadRights.freeze({ node: { policy: 'read' } });
    expect(nomadRights.freeze(frozen)).toBe(frozen);
  });
});
