import { defineRights } from '../acl/rights.ts';
import type { BlockRights, RightsDefinition } from '../acl/rights-definition.ts';
import { readHcl } from './hcl-rules.ts';
import { checkVariables } from './variables.ts';

const readNamespace = [
  'list-jobs',
  'parse-job',
  'read-job',
  'csi-list-volume',
  'csi-read-volume',
  'host-volume-read',
  'list-scaling-policies',
  'read-scaling-policy',
  'read-job-scaling',
] as const;

const writeNamespace = [
  ...readNamespace,
  'submit-job',
  'dispatch-job',
  'read-logs',
  'read-fs',
  'alloc-exec',
  'alloc-lifecycle',
  'csi-mount-volume',
  'csi-write-volume',
  'host-volume-create',
  'scale-job',
  'submit-recommendation',
] as const;

const scaleNamespace = [
  'list-scaling-policies',
  'read-scaling-policy',
  'read-job-scaling',
  'scale-job',
  'read-job',
  'submit-recommendation',
] as const;

/** Every capability that a namespace rule can list. */
export const namespaceCapabilities = [
  'deny',
  ...writeNamespace,
  'alloc-node-exec',
  'sentinel-override',
  'csi-register-plugin',
  'host-volume-register',
  'host-volume-write',
  'host-volume-delete',
  'register-job',
  'revert-job',
  'deregister-job',
  'purge-job',
  'evaluate-job',
  'plan-job',
  'tag-job-version',
  'stable-job',
  'fail-deployment',
  'pause-deployment',
  'promote-deployment',
  'unblock-deployment',
  'cancel-deployment',
  'set-alloc-health-deployment',
  'gc-allocation',
  'pause-allocation',
  'force-periodic-job',
  'delete-service-registration',
] as const;

/** Nomad takes `scale` and an empty level in every block; only in a namespace does one of them grant something. */
const levels = { read: ['read'], write: ['read', 'write'], deny: ['deny'], scale: [], '': [] } as const;
const plain = { capabilities: [], byLevel: ['read', 'write'], levels } as const;
const ignored = { ...plain, isIgnored: true } as const;

const blocks = {
  namespace: {
    isNamed: true,
    capabilities: namespaceCapabilities,
    levels: { ...levels, read: readNamespace, write: writeNamespace, scale: scaleNamespace },
    implies: {
      'host-volume-create': ['host-volume-read'],
      'host-volume-register': ['host-volume-create', 'host-volume-read'],
      'host-volume-write': ['host-volume-register', 'host-volume-create', 'host-volume-delete', 'host-volume-read'],
    },
    members: { variables: (value: unknown, place: string): void => checkVariables(value, place) },
  },
  node: plain,
  operator: {
    ...plain,
    capabilities: ['deny', 'snapshot-save', 'license-read', 'keyring-read', 'keyring-rotate', 'keyring-delete'],
  },
  node_pool: {
    isNamed: true,
    alias: 'nodePool',
    levels: { ...levels, write: ['read', 'write', 'delete'] },
    capabilities: ['deny', 'read', 'write', 'delete'],
  },
  agent: ignored,
  quota: ignored,
  sentinel: ignored,
  plugin: { ...ignored, byLevel: ['read', 'write', 'list'], levels: { ...levels, list: ['list'] } },
  host_volume: {
    isNamed: true,
    isIgnored: true,
    alias: 'hostVolume',
    levels: { ...levels, read: ['mount-readonly'], write: ['mount-readonly', 'mount-readwrite'] },
    capabilities: ['deny', 'mount-readonly', 'mount-readwrite'],
  },
} as const satisfies RightsDefinition;

/** Whether the rules of a block have names, by its own name and its other one. */
const forms = new Map(
  Object.entries<BlockRights>(blocks).flatMap(([name, { alias = name, isNamed = false }]) => [
    [name, isNamed],
    [alias, isNamed],
  ]),
);

/**
 * Nomad's rights: the blocks, levels and capabilities of its ACL policies, what they bring with them, and its HCL.
 *
 * ```ts
 * const store = new MemoryAclStore({ rights: nomadRights });
 * await store.upsertPolicy({ name: 'readers', rules: 'namespace "prod-*" { policy = "read" }' });
 * new EventBroker({ topics: nomadTopics, acl: new AclResolver({ store, rights: nomadRights }) });
 * ```
 *
 * HCL is read by the optional package `@cdktn/hcl2json`, loaded at the first use: it compiles a WebAssembly module of
 * some megabytes and defines a few global names (`Go`, `fs`, `path`, `require`). Its HCL is version 2: a block inside
 * another stands on lines of its own, to which text that is not well-formed is brought first.
 */
export const nomadRights = defineRights(blocks, { readText: (text) => readHcl(text, forms) });
