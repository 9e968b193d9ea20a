/** What a rule of one kind may say. Names and expansions are those of Nomad's ACL policies. */
export interface BlockKind {
  /** Whether each rule names what it is for: `namespace "default"`. */
  readonly isLabelled: boolean;
  /** Short hands of `policy`, and the capabilities that each stands for. */
  readonly levels: Readonly<Record<string, readonly string[]>>;
  readonly capabilities: readonly string[];
  /** Whether a rule may hold a `variables` block. */
  readonly hasVariables?: boolean;
}

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
export const namespaceCapabilities: readonly string[] = Object.freeze([
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
]);

/** Capabilities that bring others with them. */
const implied: ReadonlyMap<string, readonly string[]> = new Map([
  ['host-volume-create', ['host-volume-read']],
  ['host-volume-register', ['host-volume-create', 'host-volume-read']],
  ['host-volume-write', ['host-volume-register', 'host-volume-create', 'host-volume-delete', 'host-volume-read']],
]);

/** A capability and those that it brings with it. */
export function expandCapability(capability: string): readonly string[] {
  return [capability, ...(implied.get(capability) ?? [])];
}

/** Nomad takes `scale` and an empty level in every block; only in a namespace does one of them grant something. */
const levels = { read: ['read'], write: ['read', 'write'], deny: ['deny'], scale: [], '': [] };
const plain: BlockKind = { isLabelled: false, levels, capabilities: [] };

const operatorCapabilities = [
  'deny',
  'snapshot-save',
  'license-read',
  'keyring-read',
  'keyring-rotate',
  'keyring-delete',
] as const;

const kinds: Readonly<Record<string, BlockKind>> = {
  namespace: {
    isLabelled: true,
    levels: { ...levels, read: readNamespace, write: writeNamespace, scale: scaleNamespace },
    capabilities: namespaceCapabilities,
    hasVariables: true,
  },
  node: plain,
  operator: { ...plain, capabilities: operatorCapabilities },
  node_pool: {
    isLabelled: true,
    levels: { ...levels, write: ['read', 'write', 'delete'] },
    capabilities: ['deny', 'read', 'write', 'delete'],
  },
  agent: plain,
  quota: plain,
  sentinel: plain,
  plugin: { ...plain, levels: { ...levels, list: ['list'] } },
  host_volume: {
    isLabelled: true,
    levels: { ...levels, read: ['mount-readonly'], write: ['mount-readonly', 'mount-readwrite'] },
    capabilities: ['deny', 'mount-readonly', 'mount-readwrite'],
  },
};

/** The blocks of a policy, by the name that they have in its rules. */
export const blockKinds: ReadonlyMap<string, BlockKind> = new Map(Object.entries(kinds));

/** Names of blocks as JavaScript writes them. */
export const blockAliases: ReadonlyMap<string, string> = new Map([
  ['nodePool', 'node_pool'],
  ['hostVolume', 'host_volume'],
]);

/** What a path of a `variables` block can list. */
export const variableCapabilities: readonly string[] = ['list', 'read', 'write', 'destroy', 'deny'];
