import type { Acl } from '../../acl/acl.ts';
import { meetsAll, needsOf, sightOf } from './requirements.ts';
import type { Revocation } from '../../acl/revocation.ts';
import type { BrokerNotifications, SubscriptionNotice } from './broker-notifications.ts';
import type { BrokerStats } from './broker-stats.ts';
import { BrokerError } from '../../model/errors.ts';
import type { Gap } from '../../model/event.ts';
import type { Asked, Interest } from '../matching/interest.ts';
import type { InterestIndex } from '../matching/interest-index.ts';
import { startOf, type StartFrom } from './start-position.ts';
import type { CheckedSubscribe } from './subscribe-request.ts';
import { Subscription, type SubscriptionHost } from '../delivery/subscription.ts';
import type { Topics } from '../../model/topics.ts';

/** Tells a notification, when the broker is at rest. */
export type Notify = <Name extends keyof BrokerNotifications>(
  name: Name,
  ...args: Parameters<BrokerNotifications[Name]>
) => void;

export interface RegistryOptions {
  readonly topics: Topics;
  readonly interests: InterestIndex;
  readonly revocation: Revocation;
  /** Newest published index. */
  readonly head: () => number;
  readonly notify: Notify;
  readonly maxSubscriptions: number;
}

/** What is asked for is in the interest, shared with all who ask for the same. */
interface Registration {
  interest: Interest;
  acl: Acl;
  /** Ends the guard over its rights and its signal. */
  unwatch: () => void;
}

/** The open subscriptions: their interests, the rights that they rest on, and what is told of their lives. */
export class Registry {
  readonly #options: RegistryOptions;
  readonly #registrations = new Map<Subscription, Registration>();
  #revoked = 0;
  #gaps = 0;

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  stats(): Pick<BrokerStats, 'subscriptions' | 'revokedSubscriptions' | 'gaps'> {
    return { subscriptions: this.#registrations.size, revokedSubscriptions: this.#revoked, gaps: this.#gaps };
  }

  /** All at this moment: closing one while walking them is safe. */
  all(): readonly Subscription[] {
    return [...this.#registrations.keys()];
  }

  /** Opens a subscription with these rights. @throws BrokerError `permission_denied`, `at_capacity`, `gap`, `restarted` */
  open(host: SubscriptionHost, request: CheckedSubscribe, acl: Acl, from: StartFrom): Subscription {
    request.signal?.throwIfAborted();
    this.#check(request, acl);
    const start = startOf(request, from);
    const interest = this.#acquire(request, acl);
    const subscription = new Subscription(host, interest, start, request.failOnGap);
    this.#register(subscription, { interest, acl, unwatch: nothing }, request);
    return subscription;
  }

  /** A subscription has ended: lets go of all that it held. */
  detach(subscription: Subscription, error: BrokerError | undefined): void {
    const registration = this.#registrations.get(subscription);
    if (registration === undefined) return;
    const notice = noticeOf(subscription, registration);
    this.#registrations.delete(subscription);
    registration.unwatch();
    this.#options.interests.release(registration.interest);
    this.#options.notify('unsubscribe', { ...notice, error });
  }

  gap(subscription: Subscription, gap: Gap): void {
    this.#gaps++;
    this.#ifOpen(subscription, (notice) => this.#options.notify('gap', { ...notice, gap }));
  }

  lagging(subscription: Subscription): void {
    this.#ifOpen(subscription, (notice) => this.#options.notify('lagging', notice));
  }

  #meets({ filter, namespaces }: Asked, acl: Acl): boolean {
    return meetsAll(acl, needsOf(filter, namespaces, this.#options.topics));
  }

  #check(asked: Asked, acl: Acl): void {
    const { maxSubscriptions } = this.#options;
    if (!this.#meets(asked, acl)) {
      throw new BrokerError('permission_denied', 'Permission denied.', { cause: new Error('insufficient') });
    }
    if (this.#registrations.size < maxSubscriptions) return;
    throw new BrokerError('at_capacity', `All ${maxSubscriptions} subscriptions are open.`);
  }

  #acquire({ filter, namespaces }: Asked, acl: Acl): Interest {
    const { interests, topics, head } = this.#options;
    return interests.acquire(filter, namespaces, sightOf(acl, namespaces, topics), head());
  }

  #register(subscription: Subscription, registration: Registration, request: CheckedSubscribe): void {
    this.#registrations.set(subscription, registration);
    registration.unwatch = this.#watch(subscription, registration, request);
    this.#options.notify('subscribe', noticeOf(subscription, registration));
  }

  /** Many streams are idle, and each pays for what it holds: closures are made only where there is something to watch. */
  #watch(subscription: Subscription, registration: Registration, request: CheckedSubscribe): () => void {
    const unguard = registration.acl.isRevocable ? this.#guard(subscription, registration, request) : nothing;
    const { signal } = request;
    if (!signal) return unguard;
    const abort = (): void => subscription.close();
    signal.addEventListener('abort', abort, { once: true });
    return () => {
      unguard();
      signal.removeEventListener('abort', abort);
    };
  }

  #guard(subscription: Subscription, registration: Registration, { token, acl }: CheckedSubscribe): () => void {
    return this.#options.revocation.watch(token, registration.acl, acl !== undefined, {
      fence: (index) => subscription.fence(index),
      confirm: (next) => this.#confirm(subscription, registration, next),
      revoke: (error) => this.#revoke(subscription, registration, error),
    });
  }

  #confirm(subscription: Subscription, registration: Registration, acl: Acl): boolean {
    const before = registration.interest;
    if (!this.#meets(before, acl)) return false;
    registration.acl = acl;
    registration.interest = this.#acquire(before, acl);
    subscription.release(registration.interest);
    this.#options.interests.release(before);
    return true;
  }

  #revoke(subscription: Subscription, registration: Registration, error: BrokerError): void {
    this.#revoked++;
    subscription.revoke(error);
    this.#options.notify('revoked', { ...noticeOf(subscription, registration), error });
  }

  #ifOpen(subscription: Subscription, tell: (notice: SubscriptionNotice) => void): void {
    const registration = this.#registrations.get(subscription);
    if (registration !== undefined) tell(noticeOf(subscription, registration));
  }
}

const nothing = (): void => undefined;

function noticeOf(subscription: Subscription, { acl, interest }: Registration): SubscriptionNotice {
  return {
    subscription,
    accessorId: acl.accessorId,
    topics: String(interest.filter),
    namespaces: interest.namespaces.names,
  };
}
