import type { Clock, ClockTimer } from '../model/clock.ts';
import { withDeadline } from '../model/deadline.ts';
import { BrokerError, permissionDenied, revoked, unconfirmed } from '../model/errors.ts';
import { describe } from '../model/describe.ts';
import type { AclRef } from '../model/acl-ref.ts';
import { Acl, hasExpired } from './acl.ts';
import { refusal, type AclSource } from './acl-resolver.ts';
import { DependencyIndex } from './dependency-index.ts';
import { ExpiryTimer } from './expiry-timer.ts';
import { isForAll, isGiven, isSame, isStillOf, keyOf, Session, type Credential, type Guarded } from './session.ts';

export interface RevocationOptions {
  readonly source: AclSource | undefined;
  readonly clock: Clock;
  /** How long the store may take, in ms, before subscriptions that wait for it are closed. */
  readonly timeoutMs: number;
  /** Newest published index: the buffer's. */
  readonly newest: { readonly head: number };
}

/** How many tokens are resolved at once after a change; the others wait their turn, fenced. */
const MAX_RESOLVING = 64;

/**
 * The fence. A change to a token, a role or a policy holds the subscriptions that depend on it at the change's index;
 * each distinct token is resolved anew, once, and its subscriptions go on or end. Those that depend on nothing that
 * changed are not looked at.
 *
 * Fails closed: while the store has not answered nothing passes the fence, and when it fails or takes too long the
 * subscriptions end. Waits: at most {@link MAX_RESOLVING} look-ups at once, each subscription for at most `timeoutMs`.
 */
export class Revocation {
  readonly #options: RevocationOptions;
  readonly #sessions = new Map<unknown, Session>();
  readonly #dependents = new DependencyIndex<Session>();
  /**
   * What changed since the store was asked, for each subscription that is being opened and each token that is being
   * resolved anew.
   */
  readonly #asking = new Set<Set<AclRef>>();
  readonly #expiry: ExpiryTimer<Session>;
  readonly #queue = new Set<Session>();
  #resolving = 0;
  /** How often news was lost, so that nobody knows what changed. */
  #losses = 0;

  constructor(options: RevocationOptions) {
    this.#options = options;
    this.#expiry = new ExpiryTimer(options.clock, (session) => this.#expire(session));
  }

  /** There is something that knows tokens. */
  get hasSource(): boolean {
    return this.#options.source !== undefined;
  }

  /**
   * The rights behind a credential, as of the moment when the promise's reaction runs: asked again as long as what they
   * rest on changes meanwhile. Hand them to {@link watch} in that same turn.
   * @param ask what else is to be found out with them, and anew with them
   */
  async open<X, R>(
    credential: Credential,
    ask: (acl: Acl) => X | Promise<X>,
    use: (acl: Acl, asked: X) => R,
  ): Promise<R> {
    const changed = new Set<AclRef>();
    this.#asking.add(changed);
    const timeout = this.#timeout();
    try {
      for (let tries = 1; ; tries++) {
        changed.clear();
        const losses = this.#losses;
        const acl = await Promise.race([this.#resolve(credential), timeout.expired]);
        const asked = await ask(acl);
        if (losses === this.#losses && !restsOn(acl, changed)) return use(this.#unexpired(acl), asked);
        await turnAfter(tries);
        if (isGiven(credential)) throw permissionDenied(revoked());
      }
    } finally {
      timeout.cancel();
      this.#asking.delete(changed);
    }
  }

  /** The rights behind a credential as they are, within the time that the store may take. */
  rightsOf(credential: Credential): Promise<Acl> {
    const { clock, timeoutMs } = this.#options;
    return withDeadline(clock, timeoutMs, this.#resolve(credential), unconfirmed);
  }

  /**
   * Guards a subscription from now on, whose rights depend on something or expire.
   * @returns what to call when it ends
   */
  watch(credential: Credential, acl: Acl, guarded: Guarded): () => void {
    const key = keyOf(credential, acl, guarded);
    const known = this.#sessions.get(key);
    const session = known ?? new Session(key, acl);
    this.#sessions.set(key, session);
    session.members.set(guarded, credential);
    if (known === undefined) this.#adopt(session, acl);
    else this.#join(session, acl);
    return () => this.#unwatch(session, guarded);
  }

  /**
   * A member whose rights are not those of the others knows of a change whose news is still to come. Until all are
   * decided with one answer, the session rests on what any of them rests on, and ends with the first.
   */
  #join(session: Session, acl: Acl): void {
    if (!session.isResolving && isSame(session.acl, acl)) return;
    this.#dependents.set(session, [...new Set([...this.#dependents.refsOf(session), ...acl.dependsOn])]);
    this.#expiry.setEarlier(session, acl.expiresAt);
    // While an answer is under way it is held against this, as long as those who join agree.
    const isAgreed = session.isResolving && isSame((session.joined ??= acl), acl);
    if (isAgreed) return;
    this.#fence(session, this.#options.newest.head);
    this.#resolveNext();
  }

  /** Fences, at `index`, what depends on these objects, and resolves it anew. */
  change(refs: readonly AclRef[], index: number): void {
    this.#hold(refs, index, () => this.#options.source?.changed?.(refs));
  }

  /**
   * Fences everybody, and asks anew for those who are being opened: nobody knows what changed.
   * @param index what may still be read: by default nothing, since the indexes begin anew
   */
  changeAll(index = 0): void {
    this.#losses++;
    const refs = [...new Set([...this.#sessions.values()].flatMap((session) => this.#dependents.refsOf(session)))];
    this.#hold(refs, index, () => {
      this.#options.source?.allChanged?.();
      this.#options.source?.changed?.(refs);
    });
  }

  /** @throws BrokerError `permission_denied` for rights that have expired */
  #unexpired(acl: Acl): Acl {
    if (hasExpired(acl, this.#options.clock.now())) throw permissionDenied(expired());
    return acl;
  }

  /** Ends what has expired: called before anything is published, since timers may be late. */
  expireDue(): void {
    this.#expiry.expireDue();
  }

  /** Lets go of all timers. */
  close(): void {
    this.#expiry.stop();
    this.#queue.clear();
    for (const session of this.#sessions.values()) this.#finish(session);
  }

  #unwatch(session: Session, guarded: Guarded): void {
    session.members.delete(guarded);
    if (session.members.size > 0 || session.isOver) return;
    this.#finish(session);
  }

  /** Nobody is left to be decided: an answer that is still under way is dropped. */
  #finish(session: Session): void {
    session.isOver = true;
    session.stopTimer();
    this.#sessions.delete(session.key);
    this.#dependents.remove(session);
    this.#expiry.remove(session);
  }

  #adopt(session: Session, acl: Acl): void {
    session.acl = acl;
    this.#dependents.set(session, acl.dependsOn);
    this.#expiry.set(session, acl.expiresAt);
  }

  /** Fence first: the source's own code comes after it, and where that fails nobody knows what it still remembers. */
  #hold(refs: readonly AclRef[], index: number, tellSource: () => void): void {
    for (const changed of this.#asking) for (const ref of refs) changed.add(ref);
    const sessions = [...this.#dependents.of(refs)];
    for (const session of sessions) this.#fence(session, index);
    try {
      tellSource();
    } catch (error) {
      for (const session of sessions) this.#end(session, unconfirmed(error));
    }
    this.#resolveNext();
  }

  #fence(session: Session, index: number): void {
    session.version++;
    session.joined = undefined;
    for (const guarded of session.members.keys()) guarded.fence(index);
    if (session.isResolving) return;
    this.#queue.add(session);
    session.waitUntil(this.#options.clock.after(this.#options.timeoutMs, () => this.#end(session, unconfirmed())));
  }

  /** In a microtask, so that the publisher is not held while look-ups start. */
  #resolveNext(): void {
    for (const session of this.#queue) {
      if (this.#resolving === MAX_RESOLVING) return;
      this.#queue.delete(session);
      this.#resolving++;
      const failed = (error: unknown): void => this.#end(session, unconfirmed(error));
      void this.#reauthorize(session)
        .catch(failed)
        .finally(() => {
          this.#resolving--;
          this.#resolveNext();
        });
    }
  }

  /** Asks until nothing has changed meanwhile: neither what the old rights rest on, nor what the new ones do. */
  async #reauthorize(session: Session): Promise<void> {
    // In a turn of its own: the publisher goes on first.
    await Promise.resolve();
    const changed = new Set<AclRef>();
    this.#asking.add(changed);
    try {
      for (let tries = 1; !session.isOver; tries++) {
        const { version } = session;
        changed.clear();
        const answer = await this.#answer(session);
        if (!BrokerError.is(answer)) await prepareAll(session.members.keys());
        const isCurrent = version === session.version && !restsOn(answer, changed);
        if (isCurrent && isForAll(session, answer)) return this.#decide(session, answer);
        if (isCurrent) this.#fence(session, this.#options.newest.head);
        await turnAfter(tries);
      }
    } finally {
      this.#asking.delete(changed);
    }
  }

  async #answer(session: Session): Promise<Acl | BrokerError> {
    const { credential } = session;
    if (isGiven(credential)) return revoked();
    // A look-up that the store has lost must not keep its place among those at once.
    try {
      const answer = this.#unexpired(await this.rightsOf(credential));
      return isStillOf(session, answer) ? answer : revoked();
    } catch (error) {
      return BrokerError.is(error) && error.code === 'permission_denied' ? denied(error) : unconfirmed(error);
    }
  }

  #decide(session: Session, answer: Acl | BrokerError): void {
    if (session.isOver) return;
    if (BrokerError.is(answer)) return this.#end(session, answer);
    session.isResolving = false;
    session.stopTimer();
    this.#adopt(session, answer);
    const { version } = session;
    for (const guarded of session.members.keys()) {
      // Host code that runs with a revocation may tell of the next change: this answer is not for those who are left.
      if (session.version !== version) return;
      guarded.decide(answer);
    }
  }

  #end(session: Session, error: BrokerError): void {
    if (session.isOver) return;
    this.#finish(session);
    for (const guarded of session.members.keys()) guarded.decide(error);
  }

  #expire(session: Session): void {
    for (const guarded of session.members.keys()) guarded.fence(this.#options.newest.head);
    this.#end(session, expired());
  }

  async #resolve(credential: Credential): Promise<Acl> {
    if (isGiven(credential)) return credential;
    if (typeof credential === 'function') return answerOf('acl', credential);
    const { source } = this.#options;
    return source === undefined ? Acl.management : answerOf('resolve', () => source.resolve(credential), credential);
  }

  #timeout(): { expired: Promise<never>; cancel(): void } {
    let timer: ClockTimer | undefined;
    const expiry = new Promise<never>((_, reject) => {
      timer = this.#options.clock.after(this.#options.timeoutMs, () => reject(unconfirmed()));
    });
    return { expired: expiry, cancel: () => timer?.cancel() };
  }
}

/** So many members of a session are prepared at once: a host's database is asked for each. */
const MAX_PREPARING = 64;

async function prepareAll(members: Iterable<Guarded>): Promise<void> {
  const waiting = [...members].filter((guarded): guarded is Preparing => guarded.prepare !== undefined);
  while (waiting.length > 0)
    await Promise.all(waiting.splice(0, MAX_PREPARING).map(async (guarded) => guarded.prepare()));
}

type Preparing = Guarded & Required<Pick<Guarded, 'prepare'>>;

/** After so many answers that a change has overtaken, others have their turn of the event loop. */
const TRIES_PER_TURN = 8;

/**
 * Where a host's function tells of a change each time that it is asked, asking goes on without end: not in microtasks
 * alone, or no time-out would ever come.
 */
async function turnAfter(tries: number): Promise<void> {
  if (tries % TRIES_PER_TURN === 0) await new Promise((resolve) => void setImmediate(resolve));
}

/** @param secret what the host was asked with: no failure shows it */
async function answerOf(who: string, ask: () => Acl | Promise<Acl>, secret?: string): Promise<Acl> {
  try {
    return requireAcl(await ask(), who);
  } catch (error) {
    throw refusal(error, secret);
  }
}

/** A source is the host's: what it answers is looked at once, here, so that no later step meets a surprise. */
function requireAcl(answer: Acl, who: string): Acl {
  const { meets, dependsOn } = (answer ?? {}) as Partial<Acl>;
  if (typeof meets === 'function' && Array.isArray(dependsOn)) return answer;
  throw new TypeError(`${who} must answer with an Acl; got ${describe(answer)}.`);
}

/** A denial names nothing that it rests on but the token, and that the session knows. */
function restsOn(answer: Acl | BrokerError, changed: ReadonlySet<AclRef>): boolean {
  return !BrokerError.is(answer) && answer.dependsOn.some((ref) => changed.has(ref));
}

function denied(error: BrokerError): BrokerError {
  const reason = (error.cause as { readonly reason?: unknown; readonly code?: unknown } | undefined) ?? {};
  return reason.reason === 'expired' || reason.code === 'acl_expired' ? expired() : revoked();
}

const expired = () => new BrokerError('acl_expired', 'The token that this stream rests on has expired.');
