import type { NewEvent } from '../model/event.ts';
import type { Given, Job, VariableMetadata } from './objects.ts';
import type { NewNomadEvent, ObjectOf, TypeOf } from './nomad-event.ts';
import { nomadEvent } from './nomad-event.ts';
import type { NomadPayloads, NomadTopicName } from './topics.ts';

/** How a job left. */
export interface DeregisterOptions {
  /** The job is gone, not just stopped: the payload says `Deleted: true`. Default false. */
  readonly purge?: boolean;
}

/** What happened to a variable. */
export interface VariableOptions {
  /** The payload's `Deleted`. Default false. */
  readonly deleted?: boolean;
}

/** Makes the constructor of an event type: it takes the Nomad object. */
function on<Topic extends NomadTopicName>(topic: Topic, type: TypeOf<Topic>) {
  return (object: Given<ObjectOf<Topic>>): NewEvent<Topic, NomadPayloads[Topic]> => nomadEvent(topic, type, object);
}

function onDeregister(type: 'JobDeregistered' | 'JobBatchDeregistered') {
  return (job: Given<Job>, { purge = false }: DeregisterOptions = {}): NewNomadEvent<'Job'> =>
    nomadEvent('Job', type, job, purge ? { Deleted: true } : {});
}

/**
 * One constructor per event type of Nomad, named after the type. It takes the object as Nomad's API spells it and
 * derives key, namespace and filter keys; the object itself is never changed, and credentials are emptied in the
 * event's copy. A namespaced object that does not name its namespace is in `default`.
 *
 * ```ts
 * await broker.publish(nomadEvents.jobRegistered({ ID: 'web', Namespace: 'prod' }));
 * await broker.publish([nomadEvents.planResult.allocation(allocation), nomadEvents.planResult.deployment(deployment)]);
 * ```
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

  allocationCreated: on('Allocation', 'AllocationCreated'),
  allocationUpdated: on('Allocation', 'AllocationUpdated'),
  allocationUpdateDesiredStatus: on('Allocation', 'AllocationUpdateDesiredStatus'),

  deploymentStatusUpdate: on('Deployment', 'DeploymentStatusUpdate'),
  deploymentPromotion: on('Deployment', 'DeploymentPromotion'),
  deploymentAllocHealth: on('Deployment', 'DeploymentAllocHealth'),

  evaluationUpdated: on('Evaluation', 'EvaluationUpdated'),

  /** The events of one applied plan: publish them as one batch, so that they share an index. */
  planResult: Object.freeze({
    allocation: on('Allocation', 'PlanResult'),
    deployment: on('Deployment', 'PlanResult'),
    evaluation: on('Evaluation', 'PlanResult'),
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
});
