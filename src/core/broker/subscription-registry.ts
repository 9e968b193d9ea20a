import type { Acl } from '../../acl/acl.ts';
import type { Guarded } from '../../acl/session.ts';
import type { Revocation } from '../../acl/revocation.ts';
import type { CursorStart } from '../backlog/cursor.ts';
import type { EventBuffer } from '../backlog/event-buffer.ts';
import type { Handover } from '../delivery/handover.ts';
import { Reader, type ReaderContext, type ReaderObserver } from '../delivery/reader.ts';
import type { Interest } from '../matching/interest.ts';
import type { InterestIndex } from '../matching/interest-index.ts';
import { AccessorCounts } from '../../model/accessor-counts.ts';
import { BrokerError, closed, revoked, unconfirmed } from '../../model/errors.ts';
import type { Gap } from '../../model/gap.ts';
import { onAbort } from '../../model/on-abort.ts';
import type { Drained } from './drain.ts';
import type { Notify, SubscriptionNotice } from './broker-notifications.ts';
import type { BrokerStats, StreamEnd } from './broker-stats.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { Refusals } from './refusals.ts';
import { viewOf, type ScopedRequest, type View, type ViewParts } from './rights-view.ts';
import type { CheckedSubscribe } from './subscribe-request.ts';
import type { SubscriptionInfo } from './subscription-info.ts';

export interface SubscriptionRegistryParts extends ViewParts {
  readonly buffer: EventBuffer;
  readonly interests: InterestIndex;
  readonly revocation: Revocation;
  readonly notify: Notify;
  readonly diagnostics: Diagnostics;
  readonly refusals: Refusals;
  /** What readers are made with, beside their observer, which is the registry. */
  readonly context: Omit<ReaderContext, 'observer'>;
}

interface Registration {
  /** What it asks for, within the pin. */
  asked: ScopedRequest;
  readonly isState: boolean;
  /** The pin was asked again, and says no, or could not be found out. */
  pinFault: BrokerError | undefined;
  acl: Acl;
  /** When it was opened, in ms since 1970. */
  readonly since: number;
  /** For whom it was opened, and counts. */
  readonly countedFor: string | undefined;
  /** Ends the guard over its rights and its signal. */
  unwatch: () => void;
}

/** The open subscriptions: their interests, the rights that they rest on, and what is told of their lives. */
export class SubscriptionRegistry implements ReaderObserver {
  readonly #parts: SubscriptionRegistryParts;
  readonly #context: ReaderContext;
  readonly #registrations = new Map<Reader, Registration>();
  readonly #ended: Partial<Record<StreamEnd, number>> = {};
  readonly #counts = new AccessorCounts();
  #revoked = 0;
  #gaps = 0;

  constructor(parts: SubscriptionRegistryParts) {
    this.#parts = parts;
    this.#context = { ...parts.context, observer: this };
  }

  get size(): number {
    return this.#registrations.size;
  }

  /** How many subscriptions of this accessor are open. */
  sizeOf(accessorId: string): number {
    return this.#counts.of(accessorId);
  }

  stats(): Pick<BrokerStats, 'subscriptions' | 'ended' | 'revokedSubscriptions' | 'gaps'> {
    const ended = { ...this.#ended };
    return { subscriptions: this.size, ended, revokedSubscriptions: this.#revoked, gaps: this.#gaps };
  }

  /** All at this moment: closing one while walking them is safe. */
  all(): readonly Reader[] {
    return [...this.#registrations.keys()];
  }

  list(): readonly SubscriptionInfo[] {
    return [...this.#registrations].map(([reader, registration]) => this.#infoOf(reader, registration));
  }

  /** What is told of it; undefined once it has ended. */
  noticeOf(reader: Reader): SubscriptionNotice | undefined {
    const registration = this.#registrations.get(reader);
    return registration && noticeOf(reader, registration);
  }

  /** The streams on transports, to be ended one by one. */
  streams(): readonly Drained[] {
    return this.all()
      .filter(({ delivery }) => delivery !== undefined)
      .map((reader) => new DrainedStream(reader));
  }

  /** Opens a subscription that was admitted, with the rights that admitted it and what they show. */
  open(
    request: CheckedSubscribe,
    asked: ScopedRequest,
    acl: Acl,
    view: View,
    startOf: (interest: Interest) => CursorStart,
  ): Reader {
    const { isState, failOnGap, epoch } = request;
    const interest = this.#acquire(view, isState, acl);
    const reader = new Reader(this.#context, interest, this.#startIn(interest, startOf), failOnGap, epoch);
    const since = this.#context.clock.now();
    const countedFor = acl.accessorId;
    const facts = { asked, isState, acl, since, countedFor };
    const registration: Registration = { ...facts, pinFault: undefined, unwatch: nothing };
    this.#registrations.set(reader, registration);
    this.#counts.add(countedFor);
    registration.unwatch = this.#watch(reader, registration, request);
    this.#parts.notify('subscribe', noticeOf(reader, registration));
    return reader;
  }

  detached(reader: Reader, error: BrokerError | undefined): void {
    const registration = this.#registrations.get(reader);
    if (registration === undefined) return;
    const notice = noticeOf(reader, registration);
    this.#registrations.delete(reader);
    const end = error?.code ?? 'none';
    this.#ended[end] = (this.#ended[end] ?? 0) + 1;
    this.#counts.remove(registration.countedFor);
    registration.unwatch();
    this.#parts.notify('unsubscribe', { ...notice, error });
  }

  gap(reader: Reader, gap: Gap): void {
    this.#gaps++;
    this.#ifOpen(reader, (notice) => this.#parts.notify('gap', { ...notice, gap }));
  }

  lagging(reader: Reader): void {
    this.#ifOpen(reader, (notice) => {
      this.#parts.notify('lagging', { ...notice, waitingBytes: reader.waitingBytes });
    });
  }

  delivered(reader: Reader, handover: Handover): void {
    const accessorId = this.#registrations.get(reader)?.acl.accessorId;
    this.#parts.diagnostics.deliver({ subscription: reader, accessorId, position: reader.position, ...handover });
  }

  #infoOf(reader: Reader, { acl, asked, isState, since }: Registration): SubscriptionInfo {
    const { position } = reader;
    return {
      accessorId: acl.accessorId,
      filter: String(asked.filter),
      namespaces: asked.namespaces.names,
      reads: isState ? 'state' : 'events',
      by: reader.delivery ? 'transport' : 'process',
      state: reader.condition,
      position,
      lag: Math.max(0, this.#parts.buffer.latestIndex - position),
      since,
      waitingBytes: reader.waitingBytes,
    };
  }

  #acquire({ filter, namespaces, visibility }: View, isState: boolean, { accessorId }: Acl): Interest {
    const { interests, buffer } = this.#parts;
    return interests.acquire(filter, namespaces, visibility, buffer.head, isState, accessorId);
  }

  #startIn(interest: Interest, startOf: (interest: Interest) => CursorStart): CursorStart {
    try {
      return startOf(interest);
    } catch (error) {
      this.#parts.interests.release(interest);
      throw error;
    }
  }

  /**
   * Many streams are idle, and each pays for what it holds: closures are made only where there is something to watch.
   */
  #watch(reader: Reader, registration: Registration, request: CheckedSubscribe): () => void {
    const { revocation } = this.#parts;
    const { credential, scoped, signal } = request;
    const unguard = registration.acl.isRevocable
      ? revocation.watch(credential, registration.acl, this.#guardOf(reader, registration, scoped))
      : nothing;
    if (!signal) return unguard;
    const unlisten = onAbort(signal, () => reader.close());
    return () => {
      unguard();
      unlisten();
    };
  }

  /** Where the host's function says what is pinned, it is asked again with the rights. */
  #guardOf(reader: Reader, registration: Registration, scoped: CheckedSubscribe['scoped']): Guarded {
    const guarded: Guarded = {
      fence: (index) => reader.fence(index),
      decide: (answer) => this.#decide(reader, registration, answer),
    };
    return typeof scoped === 'object' ? guarded : { ...guarded, prepare: () => repin(registration, scoped) };
  }

  /** Rights that suffice let it go on, with what they let it see now; anything else ends it, and it alone. */
  #decide(reader: Reader, registration: Registration, answer: Acl | BrokerError): void {
    if (BrokerError.is(answer)) return this.#revoke(reader, registration, answer);
    if (registration.pinFault) return this.#revoke(reader, registration, registration.pinFault);
    try {
      this.#release(reader, registration, answer);
    } catch (error) {
      const { accessorId, topics, namespaces } = noticeOf(reader, registration);
      this.#parts.refusals.note(error, { accessorId, topics, namespaces });
      this.#revoke(reader, registration, unconfirmed(error));
    }
  }

  #release(reader: Reader, registration: Registration, acl: Acl): void {
    const view = viewOf(registration.asked, acl, this.#parts);
    if (view === undefined) return this.#revoke(reader, registration, revoked());
    registration.acl = acl;
    reader.release(this.#acquire(view, registration.isState, acl));
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

class DrainedStream implements Drained {
  readonly #reader: Reader;

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  get isOver(): boolean {
    return this.#reader.state === 'closed';
  }

  end(): void {
    this.#reader.fail(closed());
  }
}

const nothing = (): void => undefined;

/** Asks the host again what is pinned. An answer that a change has overtaken is asked for anew by who calls. */
async function repin(registration: Registration, ask: () => Promise<ScopedRequest>): Promise<void> {
  try {
    registration.asked = await ask();
    registration.pinFault = undefined;
  } catch (error) {
    const isDenied = BrokerError.is(error) && error.code === 'permission_denied';
    registration.pinFault = isDenied ? revoked() : unconfirmed(error);
  }
}

function noticeOf(reader: Reader, { acl, asked }: Registration): SubscriptionNotice {
  return {
    subscription: reader,
    accessorId: acl.accessorId,
    topics: String(asked.filter),
    namespaces: asked.namespaces.names,
  };
}
