export { Acl, type AclFacts, type AclRef } from './acl/acl.ts';
export type { AclChange } from './acl/acl-change.ts';
export { AclDenial, AclResolver, type AclResolverOptions, type AclSource } from './acl/acl-resolver.ts';
export {
  MemoryAclStore,
  type AclPolicy,
  type AclRole,
  type AclStore,
  type AclToken,
  type StoreAnswer,
} from './acl/acl-store.ts';
export type { AclExplanation, AclFinding, AclNeed, AclVoice } from './acl/explain.ts';
export type { CapabilityRule, LevelRule, NamespaceRule, PolicyRules } from './acl/policy-rules.ts';
export type { BrokerNotifications, DenialNotice, SubscriptionNotice } from './core/broker-notifications.ts';
export type { BrokerStats } from './core/broker-stats.ts';
export { systemClock, type Clock, type ClockTimer } from './core/clock.ts';
export type { Delivery, DeliveryOptions } from './core/delivery.ts';
export { BrokerError, errorCodes, type BrokerErrorCode, type Retry, type WireError } from './core/errors.ts';
export type { Event, EventBatch, Gap, GapReason, NewEvent } from './core/event.ts';
export { EventBroker, type EventBrokerOptions } from './core/event-broker.ts';
export type { BufferOptions } from './core/event-buffer.ts';
export type {
  AppendOptions,
  AppendResult,
  EventLog,
  LogCapabilities,
  LogRecord,
  LogRecordKind,
  LogState,
  LogTail,
  ReadOptions,
  Retention,
  TailHandler,
} from './core/event-log.ts';
export type { FlushOptions } from './core/flush.ts';
export type { NamespaceInput } from './core/namespace-filter.ts';
export type { PublishOptions } from './core/publish-request.ts';
export type { ByteSink, StreamFormat } from './core/stream-format.ts';
export type { SubscribeOptions } from './core/subscribe-request.ts';
export { Subscription, type SubscriptionState } from './core/subscription.ts';
export { TopicFilter, type TopicKeys, type TopicsInput } from './core/topic-filter.ts';
export {
  defineTopics,
  payloadOf,
  Topics,
  type AclObject,
  type EventOf,
  type NewEventOf,
  type TopicDefinition,
  type TopicMap,
  type TopicRequirement,
} from './core/topics.ts';
