import { describe } from '../model/describe.ts';
import { hintFor } from '../model/options.ts';
import type { RemovalRule } from '../model/topic-definition.ts';
import { defineTopics } from '../model/topics.ts';
import { definitionsOf, nomadTopicTable, type NomadPayloads, type nomadTopics, type NomadTopicName } from './topics.ts';

/**
 * The topics of Nomad of which it can be known when an object is gone. Not so `HostVolume`: the key of
 * `HostVolumeDeleted` is empty and so names no volume; `CSIPlugin`: no event tells that one is gone; and `Operator`,
 * whose events are the host's own.
 */
export type RetainableNomadTopic = Exclude<NomadTopicName, 'HostVolume' | 'CSIPlugin' | 'Operator'>;

/** An event's types that remove its object, or a rule on its payload. */
type Removal<Topic extends NomadTopicName> = readonly string[] | RemovalRule<NomadPayloads[Topic]>;

/**
 * When an object leaves the state. Most topics have an event type that says so. The others:
 *
 * - A job that was stopped is still there, `dead`, until it is purged or collected: only then Nomad says `Deleted:
 *   true`.
 * - Allocations, deployments and evaluations that are over are collected about an hour later, and no event tells that.
 *   So they leave when they are over, by the lists of Nomad's own source; else they would pile up until the broker's
 *   bound.
 */
const removals = {
  ACLToken: ['ACLTokenDeleted'],
  ACLPolicy: ['ACLPolicyDeleted'],
  ACLRole: ['ACLRoleDeleted'],
  Job: ({ payload }) => payload.Deleted === true,
  Allocation: ({ payload }) => isOneOf(payload.Allocation.ClientStatus, ['complete', 'failed', 'lost']),
  Deployment: ({ payload }) => isOneOf(payload.Deployment.Status, ['successful', 'failed', 'cancelled']),
  Evaluation: ({ payload }) => isOneOf(payload.Evaluation.Status, ['complete', 'failed', 'canceled']),
  Node: ['NodeDeregistration'],
  Service: ['ServiceDeregistration'],
  NodePool: ['NodePoolDeleted'],
  ACLAuthMethod: ['ACLAuthMethodDeleted'],
  ACLBindingRule: ['ACLBindingRuleDeleted'],
  CSIVolume: ['CSIVolumeDeregistered'],
  Variable: ({ payload }) => payload.Deleted,
} as const satisfies { readonly [Topic in RetainableNomadTopic]: Removal<Topic> };

/**
 * Nomad's topics, of which these are kept as state: the newest event of each object, until it is gone from the cluster.
 *
 * `nomadTopics` itself keeps nothing, since what is kept costs memory, and room in a log that pins it, whether or not
 * anybody asks for it. So a host names what its readers want.
 *
 * ```ts
 * const broker = new EventBroker({ topics: nomadTopicsRetaining(['Job', 'Node', 'Allocation', 'Service']) });
 * ```
 *
 * Jobs leave when they are purged or collected; allocations, deployments and evaluations when they are over.
 * @throws TypeError for a topic that cannot be kept, with those that can
 */
export function nomadTopicsRetaining(topics: readonly RetainableNomadTopic[]): typeof nomadTopics {
  const given: unknown = topics;
  if (!Array.isArray(given))
    throw new TypeError(`nomadTopicsRetaining takes a list of topics; got ${describe(given)}.`);
  const definitions: Record<string, object> = { ...definitionsOf(nomadTopicTable) };
  for (const topic of topics) {
    if (!Object.hasOwn(removals, topic)) throw cannotBeKept(topic);
    definitions[topic] = { ...definitions[topic], retain: 'latest', removedBy: removals[topic] };
  }
  return defineTopics(definitions) as unknown as typeof nomadTopics;
}

function isOneOf(status: string | undefined, statuses: readonly string[]): boolean {
  return status !== undefined && statuses.includes(status);
}

function cannotBeKept(topic: unknown): TypeError {
  const known = Object.keys(removals);
  return new TypeError(
    `nomadTopicsRetaining cannot keep ${describe(topic)}.${hintFor(topic, known)} Known: ${known.join(', ')}.`,
  );
}
