import type { BrokerError } from '../../model/errors.ts';
import type { Gap } from '../../model/gap.ts';
import type { Subscription } from '../delivery/subscription.ts';
import type { SubscriptionNotice } from './broker-notifications.ts';

/** What every message on a diagnostics channel has. None holds a payload, a claim or a secret. */
export interface DiagnosticsMessage {
  /** The `EventBroker` that tells it, to tell one broker of a process from another. */
  readonly broker: object;
}

/**
 * A `publish`, from the call to its index. One object goes through all five channels of the trace, and is filled as the
 * facts become known.
 */
export interface PublishMessage extends DiagnosticsMessage {
  /** How many events it has; undefined until they are checked, and where they are refused. */
  events: number | undefined;
  /** Their distinct topics; undefined as long as `events` is. */
  topics: readonly string[] | undefined;
  /** Its index; set before `asyncStart`, where it succeeds. */
  result?: number;
  /** Why nothing was published; set before `error`. */
  error?: unknown;
}

/** A `subscribe`, from the call to the subscription; filled as {@link PublishMessage} is. */
export interface SubscribeMessage extends DiagnosticsMessage {
  /** Canonical text of the filter; undefined until it is known what is asked for. */
  topics: string | undefined;
  namespaces: readonly string[] | undefined;
  /** Public name of the token, where there is one and it was found. */
  accessorId: string | undefined;
  /** Set before `asyncStart`, where it succeeds. */
  result?: Subscription;
  /** Why it was refused; set before `error`. */
  error?: unknown;
}

/** Something in the life of a stream. */
export interface StreamMessage extends DiagnosticsMessage, SubscriptionNotice {}

/** Something was handed over: bytes to a transport, or a batch in process. */
export interface DeliverMessage extends DiagnosticsMessage {
  readonly subscription: Subscription;
  /** Public name of the token, where there is one. Undefined for what a stream gets after `fenceline.close`. */
  readonly accessorId: string | undefined;
  /** Newest index that the subscription has passed with it. */
  readonly position: number;
  /** As the transport got them: heartbeats and framing count; undefined in process. */
  readonly bytes: number | undefined;
  /** Of the batch; undefined for a transport, whose bytes are shared and not looked into. */
  readonly events: number | undefined;
}

/** A stream ends since its rights were taken away, expired, or could not be checked. */
export interface RevokeMessage extends StreamMessage {
  readonly error: BrokerError;
}

/** A stream is told of a gap. */
export interface GapMessage extends StreamMessage {
  readonly gap: Gap;
}

/** A transport pushes back: its stream waits until it has drained, or ends with `slow` after `stalledMs`. */
export interface StallMessage extends StreamMessage {
  /** Bytes that its peer has not taken yet; undefined where the transport cannot tell. */
  readonly waitingBytes: number | undefined;
}

/** A stream has ended. */
export interface CloseMessage extends StreamMessage {
  /** Undefined where its owner or its client ended it. */
  readonly error: BrokerError | undefined;
}

/**
 * The messages of each diagnostics channel, by its name. Of the tracing channels, the names that `tracingChannel()`
 * takes: `tracing:fenceline.publish:start` and so on have the same message.
 *
 * ```ts
 * type Gaps = DiagnosticsMessages['fenceline.gap'];
 * diagnostics_channel.subscribe('fenceline.gap', (message) => count((message as Gaps).gap.reason));
 * ```
 */
export interface DiagnosticsMessages {
  'fenceline.publish': PublishMessage;
  'fenceline.subscribe': SubscribeMessage;
  'fenceline.deliver': DeliverMessage;
  'fenceline.revoke': RevokeMessage;
  'fenceline.gap': GapMessage;
  'fenceline.stall': StallMessage;
  'fenceline.close': CloseMessage;
}
