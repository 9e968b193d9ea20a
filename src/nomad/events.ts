import type { NewEvent } from '../model/event.ts';
import { describe } from '../model/describe.ts';
import { hintFor } from '../model/options.ts';
import { fromWire, type NomadLine } from './from-wire.ts';
import type { Allocation, Given, Job, VariableMetadata } from './objects.ts';
import type { MemberOf, NewNomadEvent, NomadEventType, ObjectOf } from './nomad-event.ts';
import { nomadEvent, nomadEventTypes } from './nomad-event.ts';
import type { NomadPayloads, NomadTopicName } from './topics.ts';

/** How a job left. */
export interface DeregisterOptions {
  /** The job is gone, not just stopped: the payload says `Deleted: true`. Default false. */
  readonly purge?: boolean;
}

/** How an allocation ended that ran too long; from Nomad 2.0.3 on. */
export interface AllocationOptions {
  /** The payload says `Timeout: true`. Default false: it says nothing. */
  readonly timeout?: boolean;
  /** The payload's `TimeoutReason`. */
  readonly timeoutReason?: string;
}

/** Topics whose objects another object's change can touch. */
export type TouchedTopic = Exclude<NomadTopicName, 'Operator' | 'Variable'>;

/** The members of a payload beside its object. */
export type Beside<Topic extends NomadTopicName> = Partial<Omit<NomadPayloads[Topic], MemberOf<Topic>>>;

/** What happened to a variable. */
export interface VariableOptions {
  /** The payload's `Deleted`. Default false. */
  readonly deleted?: boolean;
}

/** Makes the constructor of an event type: it takes the Nomad object. */
function on<Topic extends NomadTopicName>(topic: Topic, type: NomadEventType) {
  return (object: Given<ObjectOf<Topic>>): NewEvent<Topic, NomadPayloads[Topic]> => nomadEvent(topic, type, object);
}

function onDeregister(type: 'JobDeregistered' | 'JobBatchDeregistered') {
  return (job: Given<Job>, { purge = false }: DeregisterOptions = {}): NewNomadEvent<'Job'> =>
    nomadEvent('Job', type, job, purge ? { Deleted: true } : {});
}

function onAllocation(type: NomadEventType) {
  return (
    allocation: Given<Allocation>,
    { timeout = false, timeoutReason }: AllocationOptions = {},
  ): NewNomadEvent<'Allocation'> =>
    nomadEvent('Allocation', type, allocation, {
      ...(timeout && { Timeout: true }),
      ...(timeoutReason !== undefined && { TimeoutReason: timeoutReason }),
    });
}

/** @throws TypeError for a type that Nomad does not have, with the nearest that it has */
function change<Topic extends TouchedTopic>(
  topic: Topic,
  type: NomadEventType,
  object: Given<ObjectOf<Topic>>,
  beside: Beside<Topic> = {},
): NewEvent<Topic, NomadPayloads[Topic]> {
  if (nomadEventTypes.includes(type)) return nomadEvent(topic, type, object, beside);
  const hint = hintFor(type, nomadEventTypes);
  throw new TypeError(`Nomad has no event type ${describe(type)}.${hint} Known: ${nomadEventTypes.join(', ')}.`);
}

/**
 * One constructor per event type of Nomad, named after the type. It takes the object as Nomad's API spells it and
 * derives key, namespace and filter keys; the object itself is never changed, and credentials are emptied in the
 * event's copy. A namespaced object that does not name its namespace is in `default`.
 *
 * ```ts
 * await broker.publish(nomadEvents.jobRegistered({ ID: 'web', Namespace: 'prod' }));
 * await broker.publish([nomadEvents.planResult.allocation(allocation), nomadEvents.planResult.deployment(deployment)]);
 * await broker.publish(nomadEvents.change('Evaluation', 'JobRegistered', evaluation));
 * await broker.publish(nomadEvents.fromWire(lineOfNomad).events);
 * ```
 * The constructor named after a type makes the event of the object that the change is about. The others that it touched
 * have events of the same type on their own topics: `change` makes these.
 *
 * Every constructor throws a `TypeError` that names the member when the one that is the key is missing, or one that an
 * event is derived from is no string.
 */
export const nomadEvents = Object.freeze({
  aclTokenUpserted: on('ACLToken', 'ACLTokenUpserted'),
  aclTokenDeleted: on('ACLToken', 'ACLTokenDeleted'),
  aclPolicyUpserted: on('ACLPolicy', 'ACLPolicyUpserted'),
  aclPolicyDeleted: on('ACLPolicy', 'ACLPolicyDeleted'),
  aclRoleUpserted: on('ACLRole', 'ACLRoleUpserted'),
  aclRoleDeleted: on('ACLRole', 'ACLRoleDeleted'),
  aclAuthMethodUpserted: on('ACLAuthMethod', 'ACLAuthMethodUpserted'),
  aclAuthMethodDeleted: on('ACLAuthMethod', 'ACLAuthMethodDeleted'),
  aclBindingRuleUpserted: on('ACLBindingRule', 'ACLBindingRuleUpserted'),
  aclBindingRuleDeleted: on('ACLBindingRule', 'ACLBindingRuleDeleted'),

  jobRegistered: on('Job', 'JobRegistered'),
  jobDeregistered: onDeregister('JobDeregistered'),
  jobBatchDeregistered: onDeregister('JobBatchDeregistered'),

  allocationCreated: onAllocation('AllocationCreated'),
  allocationUpdated: onAllocation('AllocationUpdated'),
  allocationUpdateDesiredStatus: onAllocation('AllocationUpdateDesiredStatus'),

  deploymentStatusUpdate: on('Deployment', 'DeploymentStatusUpdate'),
  deploymentPromotion: on('Deployment', 'DeploymentPromotion'),
  deploymentAllocHealth: on('Deployment', 'DeploymentAllocHealth'),

  evaluationUpdated: on('Evaluation', 'EvaluationUpdated'),

  /** The events of one applied plan: publish them as one batch, so that they share an index. */
  planResult: Object.freeze({
    allocation: onAllocation('PlanResult'),
    deployment: on('Deployment', 'PlanResult'),
    evaluation: on('Evaluation', 'PlanResult'),
    job: on('Job', 'PlanResult'),
  }),

  nodeRegistration: on('Node', 'NodeRegistration'),
  nodeDeregistration: on('Node', 'NodeDeregistration'),
  nodeEligibility: on('Node', 'NodeEligibility'),
  /** Found under both topics, `Node` and its alias `NodeDrain`. */
  nodeDrain: on('Node', 'NodeDrain'),
  /** The name that Nomad documents for {@link nomadEvents.nodeStreamEvent}. */
  nodeEvent: on('Node', 'NodeEvent'),
  /** The name that Nomad's servers send. */
  nodeStreamEvent: on('Node', 'NodeStreamEvent'),
  nodePoolUpserted: on('NodePool', 'NodePoolUpserted'),
  nodePoolDeleted: on('NodePool', 'NodePoolDeleted'),

  serviceRegistration: on('Service', 'ServiceRegistration'),
  serviceDeregistration: on('Service', 'ServiceDeregistration'),

  hostVolumeRegistered: on('HostVolume', 'HostVolumeRegistered'),
  hostVolumeDeleted: on('HostVolume', 'HostVolumeDeleted'),
  csiVolumeRegistered: on('CSIVolume', 'CSIVolumeRegistered'),
  csiVolumeDeregistered: on('CSIVolume', 'CSIVolumeDeregistered'),
  csiVolumeClaim: on('CSIVolume', 'CSIVolumeClaim'),
  /** @param type that of the change which touched the plugin, for example `NodeRegistration` */
  csiPlugin: (type: string, plugin: Given<ObjectOf<'CSIPlugin'>>): NewNomadEvent<'CSIPlugin'> =>
    nomadEvent('CSIPlugin', type, plugin),

  /** Takes the metadata alone; were a whole variable given, its items would be emptied. */
  variableUpdated: (
    metadata: Given<VariableMetadata>,
    { deleted = false }: VariableOptions = {},
  ): NewNomadEvent<'Variable'> => nomadEvent('Variable', 'VariableUpdated', metadata, { Deleted: deleted }),

  /** The payload is passed on as it is: nothing is known of its members, so that nothing in it is emptied. */
  operator: (type: string, key: string, payload: NomadPayloads['Operator']): NewNomadEvent<'Operator'> => ({
    topic: 'Operator',
    type,
    key,
    payload,
  }),

  /** An object that another object's change touched: its own topic, and the type of that change. */
  change<Topic extends TouchedTopic>(
    topic: Topic,
    type: NomadEventType,
    object: Given<ObjectOf<Topic>>,
    beside: Beside<Topic> = {},
  ): NewEvent<Topic, NomadPayloads[Topic]> {
    return change(topic, type, object, beside);
  },

  /** What one line of a Nomad server's event stream holds, ready to be published. */
  fromWire(line: string | object): NomadLine {
    return fromWire(line);
  },
});
