import type { TopicRequirement } from '../../src/model/topic-definition.ts';

/** Types of other objects' changes that real servers sent on a topic: a type is that of the whole transaction. */
const touchedBy: Readonly<Record<string, string>> = {
  Job: 'EvaluationUpdated AllocationUpdated PlanResult',
  Allocation: 'DeploymentPromotion DeploymentAllocHealth',
  Deployment: 'AllocationUpdated',
  Evaluation:
    'JobRegistered JobDeregistered AllocationUpdateDesiredStatus DeploymentStatusUpdate ' +
    'DeploymentPromotion DeploymentAllocHealth',
  Node: 'AllocationUpdated',
  HostVolume: 'NodeRegistration',
};

/** All types that the table must list for a topic. */
export function typesOf(topic: string): readonly string[] {
  return [...(referenceRows[topic]?.types ?? []), ...words(touchedBy[topic] ?? '')];
}

/**
 * One row of the reference: what a topic's events must look like, written out independently of the library's own table.
 */
export interface ReferenceRow {
  readonly types: readonly string[];
  readonly key: string;
  readonly filterKeys: readonly string[];
  readonly namespaced: boolean;
  readonly member: string;
  readonly needs: TopicRequirement;
}

const readJob = { namespace: 'read-job' };

function words(text: string): readonly string[] {
  return text.split(' ').filter((word) => word !== '');
}

function row(
  types: string,
  key: string,
  filterKeys: string,
  namespaced: boolean,
  member: string,
  needs: TopicRequirement,
): ReferenceRow {
  return { types: words(types), key, filterKeys: words(filterKeys), namespaced, member, needs };
}

export const referenceRows: Readonly<Record<string, ReferenceRow>> = {
  ACLToken: row('ACLTokenUpserted ACLTokenDeleted', 'AccessorID', '', false, 'ACLToken', 'management'),
  ACLPolicy: row('ACLPolicyUpserted ACLPolicyDeleted', 'Name', '', false, 'ACLPolicy', 'management'),
  ACLRole: row('ACLRoleUpserted ACLRoleDeleted', 'ID', 'Name', false, 'ACLRole', 'management'),
  Job: row('JobRegistered JobDeregistered JobBatchDeregistered', 'ID', '', true, 'Job', readJob),
  Allocation: row(
    'AllocationCreated AllocationUpdated AllocationUpdateDesiredStatus PlanResult',
    'ID',
    'JobID DeploymentID',
    true,
    'Allocation',
    readJob,
  ),
  Deployment: row(
    'DeploymentStatusUpdate DeploymentPromotion DeploymentAllocHealth PlanResult',
    'ID',
    'JobID',
    true,
    'Deployment',
    readJob,
  ),
  Evaluation: row('EvaluationUpdated PlanResult', 'ID', 'JobID DeploymentID', true, 'Evaluation', readJob),
  Node: row(
    'NodeRegistration NodeDeregistration NodeEligibility NodeDrain NodeEvent NodeStreamEvent',
    'ID',
    '',
    false,
    'Node',
    { node: 'read' },
  ),
  Service: row('ServiceRegistration ServiceDeregistration', 'ID', 'JobID ServiceName', true, 'Service', readJob),
  NodePool: row('NodePoolUpserted NodePoolDeleted', 'Name', '', false, 'NodePool', 'management'),
  ACLAuthMethod: row('ACLAuthMethodUpserted ACLAuthMethodDeleted', 'Name', '', false, 'AuthMethod', 'management'),
  ACLBindingRule: row(
    'ACLBindingRuleUpserted ACLBindingRuleDeleted',
    'ID',
    'AuthMethod',
    false,
    'ACLBindingRule',
    'management',
  ),
  HostVolume: row('HostVolumeRegistered HostVolumeDeleted', 'ID', 'ID Name PluginID', true, 'Volume', {
    namespace: 'host-volume-read',
  }),
  CSIVolume: row('CSIVolumeRegistered CSIVolumeDeregistered CSIVolumeClaim', 'ID', 'ID Name PluginID', true, 'Volume', {
    namespace: 'csi-read-volume',
  }),
  Variable: row('VariableUpdated', 'Path', '', true, 'Metadata', 'management'),
};
