export type { AclRef } from './model/acl-ref.ts';
export { Acl, type AclFacts } from './acl/acl.ts';
export type { AclChange } from './acl/acl-change.ts';
export { AclDenial } from './acl/acl-denial.ts';
export { AclResolver, type AclResolverOptions, type AclSource } from './acl/acl-resolver.ts';
export {
  MemoryAclStore,
  type AclPolicy,
  type AclRole,
  type AclStore,
  type AclToken,
  type MemoryAclStoreOptions,
  type PolicyInWords,
  type StoreAnswer,
} from './acl/acl-store.ts';
export type { NamedPolicy, PolicyLink, RoleLink } from './acl/acl-records.ts';
export type { AclExplanation, AclFinding, AclNeed, AclAppliedRule, UnreadablePolicy } from './acl/explain.ts';
export type {
  AnyPolicyRule,
  AnyPolicyRules,
  BlockRule,
  BlockRules,
  Labelled,
  OneOrMore,
  PolicyRule,
  PolicyRules,
} from './acl/policy-rules.ts';
export { defineRights, Rights, type RightsOptions } from './acl/rights.ts';
export type { BlockRights, NeedsOf, RightsDefinition } from './acl/rights-definition.ts';
export type { AclFunction } from './acl/session.ts';
export type {
  BrokerNotifications,
  DenialNotice,
  RefusalNotice,
  RuleFailure,
  SubscriptionNotice,
} from './core/broker/broker-notifications.ts';
export type { Notifications } from './core/broker/notifications.ts';
export type { BrokerStats, StreamEnd } from './core/broker/broker-stats.ts';
export type { ManagementCredentials } from './core/broker/admission.ts';
export type {
  CloseMessage,
  DeliverMessage,
  DiagnosticsMessage,
  DiagnosticsMessages,
  GapMessage,
  PublishMessage,
  RevokeMessage,
  StallMessage,
  StreamMessage,
  SubscribeMessage,
} from './core/broker/diagnostics-messages.ts';
export type { ReadableTopic, ReadableTopicsOptions } from './core/broker/readable-topics.ts';
export type { SubscriptionInfo } from './core/broker/subscription-info.ts';
export type { SubscriptionCondition } from './core/delivery/subscription-condition.ts';
export { systemClock, type Clock, type ClockTimer } from './model/clock.ts';
export type { Delivery, DeliveryOptions } from './core/delivery/delivery.ts';
export {
  BrokerError,
  errorCodes,
  type BrokerErrorCode,
  type BrokerErrorOptions,
  type LimitName,
  type PayloadIssue,
  type Retry,
  type WireError,
  type WireGap,
} from './model/errors.ts';
export type { Event, EventBatch, EventMeta, NewEvent, ObjectKey } from './model/event.ts';
export type { InPlace } from './model/in-place.ts';
export type { Gap, GapReason } from './model/gap.ts';
export { EventBroker, type EventBrokerOptions } from './core/broker/event-broker.ts';
export type { CloseOptions } from './core/broker/drain.ts';
export type { BrokerLimits } from './core/broker/limits.ts';
export type { BufferOptions } from './core/backlog/event-buffer.ts';
export type {
  AppendOptions,
  AppendResult,
  EventLog,
  LogCapabilities,
  LogRecord,
  LogRecordKind,
  LogState,
  LogStatus,
  LogTail,
  LogTransaction,
  PinnedRecord,
  ReadOptions,
  Retention,
  TailHandler,
} from './core/log/event-log.ts';
export type { LoadProgress } from './core/log/state-loading.ts';
export type { FlushOptions } from './core/delivery/flush-schedule.ts';
export type { NamespaceInput } from './core/matching/namespace-filter.ts';
export type { PublishOptions } from './core/broker/publish-request.ts';
export type { ByteSink } from './core/delivery/byte-sink.ts';
export type { FormattableBatch, Greeting, StreamFormat } from './core/batch/stream-format.ts';
export type { SubscribePin } from './core/broker/pin.ts';
export type { SubscribeExplanation } from './core/broker/explaining.ts';
export type { RuleAnswer } from './core/broker/visible-rules.ts';
export type { StateOptions, StateSnapshot } from './core/broker/state-snapshot.ts';
export type { Scope } from './core/broker/rights-view.ts';
export type { SubscribeOptions } from './core/broker/subscribe-request.ts';
export { Subscription, type ResumePlace, type SubscriptionState } from './core/delivery/subscription.ts';
export { TopicFilter, type TopicKeys, type TopicsInput } from './core/matching/topic-filter.ts';
export type {
  AclObject,
  Claims,
  KnownNeeds,
  Needs,
  RemovalRule,
  RemovalRuleOf,
  TopicDefinition,
  TopicRequirement,
  UnindexedEvent,
} from './model/topic-definition.ts';
export {
  payloadOf,
  type DeclaredPayloads,
  type DefinedEvent,
  type DefinedPayloads,
  type DefinedUnindexedEvent,
  type EventOf,
  type EventOfTopic,
  type JsonOf,
  type NewEventOf,
  type NewEventOfTopic,
  type OneTopic,
  type PayloadsByType,
  type PayloadTypes,
  type SchemaInput,
  type SchemaOutput,
  type TopicMap,
} from './model/topic-types.ts';
export type { SchemaIssue, SchemaResult, StandardSchema } from './model/standard-schema.ts';
export { defineTopics, Topics } from './model/topics.ts';
