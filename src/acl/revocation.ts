import type { Clock, ClockTimer } from '../model/clock.ts';
import { BrokerError, revoked } from '../model/errors.ts';
import { describe } from '../model/describe.ts';
import type { AclRef } from '../model/acl-ref.ts';
import type { Acl } from './acl.ts';
import { refusal, type AclSource } from './acl-resolver.ts';
import { DependencyIndex } from './dependency-index.ts';
import { ExpiryTimer } from './expiry-timer.ts';

/** Answers with somebody's rights as they are now: asked again after each change that the last answer rests on. */
export type AclFunction = () => Acl | Promise<Acl>;

/**
 * Where a subscription's rights come from: a token's secret (undefined for none), the host's own function, or rights
 * that were given and cannot be asked for again.
 */
export type Credential = string | AclFunction | Acl | undefined;

/** A subscription, as far as revocation touches it. */
export interface Guarded {
  /** Nothing above `index` reaches it from now on. */
  fence(index: number): void;
  /**
   * Its rights were asked for again, or have come to their end: with an Acl that suffices it goes on, with anything
   * else it ends.
   */
  decide(answer: Acl | BrokerError): void;
}

export interface RevocationOptions {
  readonly source: AclSource | undefined;
  readonly clock: Clock;
  /** How long the store may take, in ms, before subscriptions that wait for it are closed. */
  readonly timeoutMs: number;
  /** Newest published index: the buffer's. */
  readonly newest: { readonly head: number };
}

/** All open subscriptions whose rights are one: they are asked for once for all of them. */
class Session {
  acl: Acl;
  /** With what each came: the last is asked for all. */
  readonly members = new Map<Guarded, Credential>();
  /** Under which it is kept: see {@link keyOf}. */
  readonly key: unknown;
  /** Counts the changes: an answer that was asked for before the last one is not used. */
  version = 0;
  isResolving = false;
  isOver = false;
  /** Runs from the first change to the verdict. */
  timer: ClockTimer | undefined;

  constructor(key: unknown, acl: Acl) {
    this.key = key;
    this.acl = acl;
  }

  get credential(): Credential {
    let last: Credential;
    for (const credential of this.members.values()) last = credential;
    return last;
  }
}

/**
 * Whose rights are one: those of one token, of one function, of one accessor where the host says so. Rights that were
 * given are their subscription's alone.
 */
function keyOf(credential: Credential, { accessorId, isPerAccessor }: Acl, guarded: Guarded): unknown {
  if (typeof credential === 'function') return isPerAccessor ? `accessor ${accessorId}` : credential;
  return isGiven(credential) ? guarded : `token ${credential ?? ''}`;
}

const isGiven = (credential: Credential): credential is Acl => typeof credential === 'object';

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
  #queue: Session[] = [];
  #resolving = 0;
  /** How often news was lost, so that nobody knows what changed. */
  #losses = 0;

  constructor(options: RevocationOptions) {
    this.#options = options;
    this.#expiry = new ExpiryTimer(options.clock, (session) => this.#expire(session));
  }

  /**
   * The rights behind a credential, as of the moment when the promise's reaction runs: asked again as long as what they
   * rest on changes meanwhile. Hand them to {@link watch} in that same turn.
   * @param ask what else is to be found out with them, and anew with them
   */
  async open<X, R>(credential: Credential, ask: () => X | Promise<X>, use: (acl: Acl, asked: X) => R): Promise<R> {
    const changed = new Set<AclRef>();
    this.#asking.add(changed);
    const timeout = this.#timeout();
    try {
      for (;;) {
        changed.clear();
        const losses = this.#losses;
        const acl = await Promise.race([this.#resolve(credential), timeout.expired]);
        const asked = await ask();
        if (losses === this.#losses && !restsOn(acl, changed)) return use(this.#unexpired(acl), asked);
        if (isGiven(credential)) throw new BrokerError('permission_denied', 'Permission denied.', { cause: revoked() });
      }
    } finally {
      timeout.cancel();
      this.#asking.delete(changed);
    }
  }

  /**
   * Guards a subscription from now on, whose rights depend on something or expire.
   * @returns what to call when it ends
   */
  watch(credential: Credential, acl: Acl, guarded: Guarded): () => void {
    const key = keyOf(credential, acl, guarded);
    const session = this.#sessions.get(key) ?? new Session(key, acl);
    this.#sessions.set(key, session);
    session.members.set(guarded, credential);
    this.#adopt(session, acl);
    return () => this.#unwatch(session, guarded);
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
    const refs = [...new Set([...this.#sessions.values()].flatMap(({ acl }) => acl.dependsOn))];
    this.#hold(refs, index, () => {
      this.#options.source?.allChanged?.();
      this.#options.source?.changed?.(refs);
    });
  }

  /** @throws BrokerError `permission_denied` for rights that have expired */
  #unexpired(acl: Acl): Acl {
    if (acl.expiresAt !== undefined && acl.expiresAt <= this.#options.clock.now()) {
      throw new BrokerError('permission_denied', 'Permission denied.', { cause: expired() });
    }
    return acl;
  }

  /** Ends what has expired: called before anything is published, since timers may be late. */
  expireDue(): void {
    this.#expiry.expireDue();
  }

  /** Lets go of all timers. */
  close(): void {
    this.#expiry.stop();
    this.#queue = [];
    for (const session of this.#sessions.values()) {
      session.isOver = true;
      session.timer?.cancel();
    }
  }

  #unwatch(session: Session, guarded: Guarded): void {
    session.members.delete(guarded);
    if (session.members.size > 0 || session.isOver) return;
    session.isOver = true;
    session.timer?.cancel();
    this.#forget(session);
  }

  #forget(session: Session): void {
    if (this.#sessions.get(session.key) === session) this.#sessions.delete(session.key);
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
      for (const session of sessions) this.#end(session, unavailable(error));
    }
    this.#resolveNext();
  }

  #fence(session: Session, index: number): void {
    session.version++;
    for (const guarded of session.members.keys()) guarded.fence(index);
    if (session.isResolving) return;
    session.isResolving = true;
    this.#queue.push(session);
    session.timer = this.#options.clock.after(this.#options.timeoutMs, () => this.#end(session, unavailable()));
  }

  /** In a microtask, so that the publisher is not held while look-ups start. */
  #resolveNext(): void {
    while (this.#resolving < MAX_RESOLVING) {
      const session = this.#queue.shift();
      if (session === undefined) return;
      this.#resolving++;
      const failed = (error: unknown): void => this.#end(session, unavailable(error));
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
      while (!session.isOver) {
        const { version } = session;
        changed.clear();
        const answer = await this.#answer(session);
        const isCurrent = version === session.version && !restsOn(answer, changed);
        if (isCurrent) return this.#decide(session, answer);
      }
    } finally {
      this.#asking.delete(changed);
    }
  }

  async #answer(session: Session): Promise<Acl | BrokerError> {
    const { credential } = session;
    if (isGiven(credential)) return revoked();
    // A look-up that the store has lost must not keep its place among those at once.
    const timeout = this.#timeout();
    try {
      const answer = this.#unexpired(await Promise.race([this.#resolve(credential), timeout.expired]));
      return isStillOf(session, answer) ? answer : revoked();
    } catch (error) {
      return BrokerError.is(error) && error.code === 'permission_denied' ? denied(error) : unavailable(error);
    } finally {
      timeout.cancel();
    }
  }

  #decide(session: Session, answer: Acl | BrokerError): void {
    if (session.isOver) return;
    if (BrokerError.is(answer)) return this.#end(session, answer);
    session.isResolving = false;
    session.timer?.cancel();
    this.#adopt(session, answer);
    const { version } = session;
    for (const guarded of session.members.keys()) {
      // Host code that runs with a revocation may tell of the next change: this answer is not for those who are left.
      if (session.version !== version) return;
      guarded.decide(answer);
    }
  }

  #end(session: Session, error: BrokerError): void {
    session.isOver = true;
    session.timer?.cancel();
    this.#forget(session);
    for (const guarded of session.members.keys()) guarded.decide(error);
  }

  #expire(session: Session): void {
    for (const guarded of session.members.keys()) guarded.fence(this.#options.newest.head);
    this.#end(session, expired());
  }

  async #resolve(credential: Credential): Promise<Acl> {
    if (isGiven(credential)) return credential;
    try {
      return requireAcl(await this.#ask(credential), typeof credential === 'function' ? 'acl' : 'resolve');
    } catch (error) {
      throw refusal(error, typeof credential === 'string' ? credential : '');
    }
  }

  #ask(credential: Exclude<Credential, Acl>): Acl | Promise<Acl> {
    if (typeof credential === 'function') return credential();
    const { source } = this.#options;
    if (source === undefined) throw unavailable();
    return source.resolve(credential);
  }

  #timeout(): { expired: Promise<never>; cancel(): void } {
    let timer: ClockTimer | undefined;
    const expiry = new Promise<never>((_, reject) => {
      timer = this.#options.clock.after(this.#options.timeoutMs, () => reject(unavailable()));
    });
    return { expired: expiry, cancel: () => timer?.cancel() };
  }
}

/**
 * Whoever answers for all of an accessor's subscriptions must be that accessor: one user's rights are not another's.
 */
function isStillOf({ acl, key }: Session, answer: Acl): boolean {
  return typeof key === 'function' || !acl.isPerAccessor || answer.accessorId === acl.accessorId;
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
const unavailable = (cause?: unknown) =>
  new BrokerError('acl_unavailable', 'The rights could not be checked in time.', { cause });
