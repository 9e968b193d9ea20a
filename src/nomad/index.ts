export { nomadEvents } from './events.ts';
export type { AllocationOptions, Beside, DeregisterOptions, TouchedTopic, VariableOptions } from './events.ts';
export type { NomadLine } from './from-wire.ts';
export type { MemberOf, NewNomadEvent, NomadEventType, ObjectOf } from './nomad-event.ts';
export type {
  ACLAuthMethod,
  ACLBindingRule,
  ACLPolicy,
  ACLRole,
  ACLToken,
  Allocation,
  AllocationPayload,
  CSIPlugin,
  Deployment,
  Evaluation,
  Given,
  Job,
  Node,
  NodePool,
  NomadObject,
  Service,
  VariableMetadata,
  Volume,
} from './objects.ts';
export { nomadTopicsRetaining } from './retained-topics.ts';
export type { RetainableNomadTopic } from './retained-topics.ts';
export { nomadRights } from './rights.ts';
export { nomadTopics, nomadTopicTable } from './topics.ts';
export type { NomadEvent, NomadPayloads, NomadTopic, NomadTopicName } from './topics.ts';
