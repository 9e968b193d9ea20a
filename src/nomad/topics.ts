import type { TopicDefinition } from '../model/topic-definition.ts';
import type { EventOf } from '../model/topic-types.ts';
import { payloadOf } from '../model/topic-types.ts';
import { defineTopics } from '../model/topics.ts';
import type {
  ACLAuthMethod,
  ACLBindingRule,
  ACLPolicy,
  ACLRole,
  ACLToken,
  AllocationPayload,
  CSIPlugin,
  Deployment,
  Evaluation,
  Job,
  Node,
  NodePool,
  Service,
  VariableMetadata,
  Volume,
} from './objects.ts';

/**
 * All that there is to know of one of Nomad's topics: constructors, access rules and documentation are made from it.
 */
export interface NomadTopic extends TopicDefinition {
  /**
   * Event types: those of the object's own changes, then those of other changes that are known to touch it, since a
   * type is that of the transaction. Other types can come; empty where nothing is known.
   */
  readonly types: readonly string[];
  /** Member of the object that is the event's key. Left out where the object has none. */
  readonly key?: string;
  /** Members of the object that are the event's filter keys, those that are empty left out. */
  readonly filterKeys: readonly string[];
  /** Whether the object's `Namespace` is the event's. */
  readonly isNamespaced: boolean;
  /** Member of the payload that holds the object. */
  readonly member?: string;
  /** Members of the object that events hold emptied. */
  readonly emptied?: readonly string[];
  /** Further members of the payload, and when they are there. */
  readonly alsoInPayload?: string;
  readonly requires: NonNullable<TopicDefinition['requires']>;
  /** What differs from Nomad, or is easily missed. */
  readonly note?: string;
}

const readJob = { namespace: 'read-job' } as const;
const readNode = { node: 'read' } as const;
const aclRole = {
  types: ['ACLRoleUpserted', 'ACLRoleDeleted'],
  key: 'ID',
  filterKeys: ['Name'],
  isNamespaced: false,
  member: 'ACLRole',
  payload: payloadOf<{ readonly ACLRole: ACLRole }>(),
  requires: 'management',
} as const;

/**
 * Nomad's topics, as data: the only place that lists their types, keys and access rules.
 *
 * A `Variable` needs management here. Nomad asks for access to variables and then checks each path, which a topic's
 * requirement cannot express; so the topic fails closed.
 */
export const nomadTopicTable = {
  ACLToken: {
    types: ['ACLTokenUpserted', 'ACLTokenDeleted'],
    key: 'AccessorID',
    filterKeys: [],
    isNamespaced: false,
    member: 'ACLToken',
    emptied: ['SecretID'],
    payload: payloadOf<{ readonly ACLToken: ACLToken }>(),
    requires: 'management',
    aclChange: 'token',
  },
  ACLPolicy: {
    types: ['ACLPolicyUpserted', 'ACLPolicyDeleted'],
    key: 'Name',
    filterKeys: [],
    isNamespaced: false,
    member: 'ACLPolicy',
    payload: payloadOf<{ readonly ACLPolicy: ACLPolicy }>(),
    requires: 'management',
    aclChange: 'policy',
  },
  ACLRole: { ...aclRole, aclChange: 'role' },
  ACLRoles: {
    ...aclRole,
    aliasOf: 'ACLRole',
    note: 'the name in Nomad’s documentation; its servers send `ACLRole`',
  },
  Job: {
    types: [
      'JobRegistered',
      'JobDeregistered',
      'JobBatchDeregistered',
      'EvaluationUpdated',
      'AllocationUpdated',
      'PlanResult',
    ],
    key: 'ID',
    filterKeys: [],
    isNamespaced: true,
    member: 'Job',
    alsoInPayload: '`Deleted: true` when purged',
    payload: payloadOf<{ readonly Job: Job; readonly Deleted?: true }>(),
    requires: readJob,
  },
  Allocation: {
    types: [
      'AllocationCreated',
      'AllocationUpdated',
      'AllocationUpdateDesiredStatus',
      'PlanResult',
      'DeploymentPromotion',
      'DeploymentAllocHealth',
    ],
    key: 'ID',
    filterKeys: ['JobID', 'DeploymentID'],
    isNamespaced: true,
    member: 'Allocation',
    emptied: ['Job'],
    alsoInPayload: '`Timeout: true` and `TimeoutReason` where it timed out',
    payload: payloadOf<AllocationPayload>(),
    requires: readJob,
  },
  Deployment: {
    types: [
      'DeploymentStatusUpdate',
      'DeploymentPromotion',
      'DeploymentAllocHealth',
      'PlanResult',
      'AllocationUpdated',
    ],
    key: 'ID',
    filterKeys: ['JobID'],
    isNamespaced: true,
    member: 'Deployment',
    payload: payloadOf<{ readonly Deployment: Deployment }>(),
    requires: readJob,
  },
  Evaluation: {
    types: [
      'EvaluationUpdated',
      'PlanResult',
      'JobRegistered',
      'JobDeregistered',
      'AllocationUpdateDesiredStatus',
      'DeploymentStatusUpdate',
      'DeploymentPromotion',
      'DeploymentAllocHealth',
    ],
    key: 'ID',
    filterKeys: ['JobID', 'DeploymentID'],
    isNamespaced: true,
    member: 'Evaluation',
    payload: payloadOf<{ readonly Evaluation: Evaluation }>(),
    requires: readJob,
  },
  Node: {
    types: [
      'NodeRegistration',
      'NodeDeregistration',
      'NodeEligibility',
      'NodeDrain',
      'NodeEvent',
      'NodeStreamEvent',
      'AllocationUpdated',
    ],
    key: 'ID',
    filterKeys: [],
    isNamespaced: false,
    member: 'Node',
    emptied: ['SecretID'],
    payload: payloadOf<{ readonly Node: Node }>(),
    requires: readNode,
    note: 'Nomad documents `NodeEvent`; its servers send `NodeStreamEvent`',
  },
  NodeDrain: {
    aliasOf: 'Node',
    types: ['NodeDrain'],
    key: 'ID',
    filterKeys: [],
    isNamespaced: false,
    member: 'Node',
    emptied: ['SecretID'],
    payload: payloadOf<{ readonly Node: Node }>(),
    requires: readNode,
  },
  Service: {
    types: ['ServiceRegistration', 'ServiceDeregistration'],
    key: 'ID',
    filterKeys: ['JobID', 'ServiceName'],
    isNamespaced: true,
    member: 'Service',
    payload: payloadOf<{ readonly Service: Service }>(),
    requires: readJob,
  },
  NodePool: {
    types: ['NodePoolUpserted', 'NodePoolDeleted'],
    key: 'Name',
    filterKeys: [],
    isNamespaced: false,
    member: 'NodePool',
    payload: payloadOf<{ readonly NodePool: NodePool }>(),
    requires: 'management',
  },
  ACLAuthMethod: {
    types: ['ACLAuthMethodUpserted', 'ACLAuthMethodDeleted'],
    key: 'Name',
    filterKeys: [],
    isNamespaced: false,
    member: 'AuthMethod',
    payload: payloadOf<{ readonly AuthMethod: ACLAuthMethod }>(),
    requires: 'management',
  },
  ACLBindingRule: {
    types: ['ACLBindingRuleUpserted', 'ACLBindingRuleDeleted'],
    key: 'ID',
    filterKeys: ['AuthMethod'],
    isNamespaced: false,
    member: 'ACLBindingRule',
    payload: payloadOf<{ readonly ACLBindingRule: ACLBindingRule }>(),
    requires: 'management',
  },
  HostVolume: {
    types: ['HostVolumeRegistered', 'HostVolumeDeleted', 'NodeRegistration'],
    key: 'ID',
    filterKeys: ['ID', 'Name', 'PluginID'],
    isNamespaced: true,
    member: 'Volume',
    payload: payloadOf<{ readonly Volume: Volume }>(),
    requires: { namespace: 'host-volume-read' },
  },
  CSIVolume: {
    types: ['CSIVolumeRegistered', 'CSIVolumeDeregistered', 'CSIVolumeClaim'],
    key: 'ID',
    filterKeys: ['ID', 'Name', 'PluginID'],
    isNamespaced: true,
    member: 'Volume',
    emptied: ['Secrets'],
    payload: payloadOf<{ readonly Volume: Volume }>(),
    requires: { namespace: 'csi-read-volume' },
  },
  CSIPlugin: {
    types: ['NodeRegistration'],
    key: 'ID',
    filterKeys: ['ID'],
    isNamespaced: false,
    member: 'Plugin',
    payload: payloadOf<{ readonly Plugin: CSIPlugin }>(),
    requires: readJob,
    note: 'the type is that of the change which touched the plugin',
  },
  Variable: {
    types: ['VariableUpdated'],
    key: 'Path',
    filterKeys: [],
    isNamespaced: true,
    member: 'Metadata',
    emptied: ['Items', 'Data'],
    alsoInPayload: '`Deleted`',
    payload: payloadOf<{ readonly Metadata: VariableMetadata; readonly Deleted: boolean }>(),
    requires: 'management',
    note: 'Nomad: any access to variables, then per path',
  },
  Operator: {
    types: [],
    filterKeys: [],
    isNamespaced: false,
    payload: payloadOf<Readonly<Record<string, unknown>>>(),
    requires: { operator: 'read' },
    note: 'type, key and payload are the host’s to choose',
  },
} as const satisfies Readonly<Record<string, NomadTopic>>;

/**
 * Nomad's topics, for `new EventBroker({ topics: nomadTopics })`: filters may name these topics alone, each topic needs
 * what it needs in Nomad, and the events of `ACLToken`, `ACLPolicy` and `ACLRole` fence the subscriptions that depend
 * on them. None is kept as state: see `nomadTopicsRetaining`.
 */
export const nomadTopics = defineTopics(definitionsOf(nomadTopicTable));

/** Topic → payload. */
export type NomadPayloads = typeof nomadTopics.payloads;

/** The topics that events are published under: all but the aliases `NodeDrain` and `ACLRoles`. */
export type NomadTopicName = keyof NomadPayloads;

/** An event of any of Nomad's topics, as a subscriber gets it: `payload` narrows with `topic`. */
export type NomadEvent = EventOf<NomadPayloads>;

/** What a broker has to know of them: the rest of the table is for the constructors and the documents. */
export function definitionsOf<Table extends Readonly<Record<string, TopicDefinition>>>(table: Table): Table {
  const members: ReadonlySet<string> = new Set(['payload', 'types', 'key', 'requires', 'aclChange', 'aliasOf']);
  const definitions = Object.entries(table).map(([name, row]) => [
    name,
    Object.fromEntries(Object.entries(row).filter(([member]) => members.has(member))),
  ]);
  return Object.fromEntries(definitions) as Table;
}
