import type { Acl } from '../../acl/acl.ts';
import type { Guarded, Revocation } from '../../acl/revocation.ts';
import type { CursorStart } from '../backlog/cursor.ts';
import type { EventBuffer } from '../backlog/event-buffer.ts';
import { Reader, type ReaderContext, type ReaderObserver } from '../delivery/reader.ts';
import type { Asked, Interest } from '../matching/interest.ts';
import type { InterestIndex } from '../matching/interest-index.ts';
import { BrokerError, revoked } from '../../model/errors.ts';
import type { Gap } from '../../model/gap.ts';
import { onAbort } from '../../model/on-abort.ts';
import type { Topics } from '../../model/topics.ts';
import type { Notify, SubscriptionNotice } from './broker-notifications.ts';
import type { BrokerStats } from './broker-stats.ts';
import { mayRead, visibilityOf } from './requirements.ts';
import type { CheckedSubscribe } from './subscribe-request.ts';

export interface SubscriptionRegistryParts {
  readonly topics: Topics;
  readonly buffer: EventBuffer;
  readonly interests: InterestIndex;
  readonly revocation: Revocation;
  readonly notify: Notify;
  /** What readers are made with, beside their observer, which is the registry. */
  readonly context: Omit<ReaderContext, 'observer'>;
}

/** What is asked for is in the interest, shared with all who ask for the same. */
interface Registration {
  interest: Interest;
  acl: Acl;
  /** Ends the guard over its rights and its signal. */
  unwatch: () => void;
}

/** The open subscriptions: their interests, the rights that they rest on, and what is told of their lives. */
export class SubscriptionRegistry implements ReaderObserver {
  readonly #parts: SubscriptionRegistryParts;
  readonly #context: ReaderContext;
  readonly #registrations = new Map<Reader, Registration>();
  #revoked = 0;
  #gaps = 0;

  constructor(parts: SubscriptionRegistryParts) {
    this.#parts = parts;
    this.#context = { ...parts.context, observer: this };
  }

  get size(): number {
    return this.#registrations.size;
  }

  stats(): Pick<BrokerStats, 'subscriptions' | 'revokedSubscriptions' | 'gaps'> {
    return { subscriptions: this.size, revokedSubscriptions: this.#revoked, gaps: this.#gaps };
  }

  /** All at this moment: closing one while walking them is safe. */
  all(): readonly Reader[] {
    return [...this.#registrations.keys()];
  }

  /** Opens a subscription that was admitted, with the rights that admitted it. */
  open(request: CheckedSubscribe, acl: Acl, start: CursorStart): Reader {
    const interest = this.#acquire(request, acl);
    const reader = new Reader(this.#context, interest, start, request.failOnGap);
    const registration: Registration = { interest, acl, unwatch: nothing };
    this.#registrations.set(reader, registration);
    registration.unwatch = this.#watch(reader, registration, request);
    this.#parts.notify('subscribe', noticeOf(reader, registration));
    return reader;
  }

  detached(reader: Reader, error: BrokerError | undefined): void {
    const registration = this.#registrations.get(reader);
    if (registration === undefined) return;
    const notice = noticeOf(reader, registration);
    this.#registrations.delete(reader);
    registration.unwatch();
    this.#parts.interests.release(registration.interest);
    this.#parts.notify('unsubscribe', { ...notice, error });
  }

  gap(reader: Reader, gap: Gap): void {
    this.#gaps++;
    this.#ifOpen(reader, (notice) => this.#parts.notify('gap', { ...notice, gap }));
  }

  lagging(reader: Reader): void {
    this.#ifOpen(reader, (notice) => this.#parts.notify('lagging', notice));
  }

  #acquire({ filter, namespaces }: Asked, acl: Acl): Interest {
    const { interests, topics, buffer } = this.#parts;
    return interests.acquire(filter, namespaces, visibilityOf(acl, namespaces, topics), buffer.head);
  }

  /**
   * Many streams are idle, and each pays for what it holds: closures are made only where there is something to watch.
   */
  #watch(reader: Reader, registration: Registration, { token, acl, signal }: CheckedSubscribe): () => void {
    const { revocation } = this.#parts;
    const unguard = registration.acl.isRevocable
      ? revocation.watch(token, registration.acl, acl !== undefined, this.#guardOf(reader, registration))
      : nothing;
    if (!signal) return unguard;
    const unlisten = onAbort(signal, () => reader.close());
    return () => {
      unguard();
      unlisten();
    };
  }

  #guardOf(reader: Reader, registration: Registration): Guarded {
    return {
      fence: (index) => reader.fence(index),
      decide: (answer) => this.#decide(reader, registration, answer),
    };
  }

  /** Rights that suffice let it go on, with what they let it see now; anything else ends it. */
  #decide(reader: Reader, registration: Registration, answer: Acl | BrokerError): void {
    if (BrokerError.is(answer)) return this.#revoke(reader, registration, answer);
    if (!mayRead(answer, registration.interest, this.#parts.topics))
      return this.#revoke(reader, registration, revoked());
    const before = registration.interest;
    registration.acl = answer;
    registration.interest = this.#acquire(before, answer);
    reader.release(registration.interest);
    this.#parts.interests.release(before);
  }

  #revoke(reader: Reader, registration: Registration, error: BrokerError): void {
    this.#revoked++;
    reader.revoke(error);
    this.#parts.notify('revoked', { ...noticeOf(reader, registration), error });
  }

  #ifOpen(reader: Reader, tell: (notice: SubscriptionNotice) => void): void {
    const registration = this.#registrations.get(reader);
    if (registration !== undefined) tell(noticeOf(reader, registration));
  }
}

const nothing = (): void => undefined;

function noticeOf(reader: Reader, { acl, interest }: Registration): SubscriptionNotice {
  return {
    subscription: reader,
    accessorId: acl.accessorId,
    topics: String(interest.filter),
    namespaces: interest.namespaces.names,
  };
}
