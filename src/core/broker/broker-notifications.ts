import type { AclFinding, UnreadablePolicy } from '../../acl/explain.ts';
import type { BrokerError, LimitName } from '../../model/errors.ts';
import type { Gap } from '../../model/gap.ts';
import type { LogStatus } from '../log/event-log.ts';
import type { LoadProgress } from '../log/state-loading.ts';
import type { Subscription } from '../delivery/subscription.ts';

/** What a notification tells of a subscription. Never a secret. */
export interface SubscriptionNotice {
  readonly subscription: Subscription;
  /** Public name of the token, where there is one. */
  readonly accessorId: string | undefined;
  /** Canonical text of the filter. */
  readonly topics: string;
  readonly namespaces: readonly string[];
}

/**
 * A subscription that was not opened for a reason that its client is not told: it was denied, its rights could not be
 * found out, or a function of the host's failed. Never holds a secret.
 */
export interface DenialNotice {
  /** What was asked for: canonical text of the filter; `''` where it came not so far, and the cause says it. */
  readonly topics: string;
  readonly namespaces: readonly string[];
  /** Public name of who asked, where it is known. */
  readonly accessorId: string | undefined;
  /**
   * The topic and namespace that may not be seen, what that takes, and which rule answered; where rights fell short.
   */
  readonly finding: AclFinding | undefined;
  /** An `AclDenial` tells unknown, expired and insufficient apart; anything else is what failed. */
  readonly cause: unknown;
}

/** Something was refused for one of the broker's `limits`. Never holds a secret. */
export interface RefusalNotice {
  readonly limit: LimitName;
  /**
   * Public name of who asked, where it is known: a request that is too large is refused before its rights are found.
   */
  readonly accessorId: string | undefined;
  /** What was asked for: canonical text of the filter; `''` where it came not so far, and of a publish. */
  readonly topics: string;
  readonly namespaces: readonly string[];
  /** As whoever asked got it; of an open stream whose new rights find no room, what it ends for. */
  readonly error: BrokerError;
}

/** A topic's rule (`visible`) that threw or answered nonsense: the event was hidden. */
export interface RuleFailure {
  readonly topic: string;
  /** Whose claims it was asked with, where they have a public name. */
  readonly accessorId: string | undefined;
  readonly error: unknown;
}

/** What a broker tells its host. Data never travels this way. */
export interface BrokerNotifications {
  subscribe: (notice: SubscriptionNotice) => void;
  /** `error` is undefined after an orderly end. */
  unsubscribe: (notice: SubscriptionNotice & { readonly error: BrokerError | undefined }) => void;
  /** A subscription ends because its rights were taken away, expired, or could not be checked. */
  revoked: (notice: SubscriptionNotice & { readonly error: BrokerError }) => void;
  denied: (notice: DenialNotice) => void;
  /** A subscription or a publish is past a limit; `stats().refused` counts them. */
  refused: (notice: RefusalNotice) => void;
  /**
   * A policy cannot be read: it grants nothing, and the others of its tokens go on. Told once for each way in which it
   * fails.
   */
  unreadablePolicy: (notice: UnreadablePolicy) => void;
  /** Told once for each topic and minute; `stats().ruleFaults` counts them all. */
  ruleFailed: (notice: RuleFailure) => void;
  /** A transport does not keep up; its subscription reads on from its position when it does. */
  lagging: (
    notice: SubscriptionNotice & {
      /** Bytes that its peer has not taken yet; undefined where the transport cannot tell. */
      readonly waitingBytes: number | undefined;
    },
  ) => void;
  gap: (notice: SubscriptionNotice & { readonly gap: Gap }) => void;
  /**
   * The log went down, is caught up with, or is up again. While what it holds of the state is read, `progress` says how
   * far that is.
   */
  log: (notice: {
    readonly status: LogStatus;
    readonly cause: Error | undefined;
    readonly progress?: LoadProgress;
  }) => void;
  /** A listener threw. */
  error: (error: unknown) => void;
  close: () => void;
}

/** Tells a notification, when the broker is at rest. */
export type Notify = <Name extends keyof BrokerNotifications>(
  name: Name,
  ...args: Parameters<BrokerNotifications[Name]>
) => void;
