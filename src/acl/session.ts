import { BrokerError } from '../model/errors.ts';
import type { ClockTimer } from '../model/clock.ts';
import type { Acl } from './acl.ts';

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
  /** Finds out what else its rights are held against, before it is decided. Never rejects. */
  prepare?(): Promise<void>;
  /**
   * Its rights were asked for again, or have come to their end: with an Acl that suffices it goes on, with anything
   * else it ends.
   */
  decide(answer: Acl | BrokerError): void;
}

/** All open subscriptions whose rights are one: they are asked for once for all of them. */
export class Session {
  /** With which all members were decided last. */
  acl: Acl;
  /** With which members came that joined while the rights are being resolved. */
  joined: Acl | undefined;
  /** With what each came: the last is asked for all. */
  readonly members = new Map<Guarded, Credential>();
  /** Under which it is kept: see {@link keyOf}. */
  readonly key: unknown;
  /** Counts the changes: an answer that was asked for before the last one is not used. */
  version = 0;
  isResolving = false;
  isOver = false;
  /** Runs from the first change to the verdict. */
  #timer: ClockTimer | undefined;

  constructor(key: unknown, acl: Acl) {
    this.key = key;
    this.acl = acl;
  }

  /** What was published after a change waits for the verdict, at most until this timer. */
  waitUntil(timer: ClockTimer): void {
    this.isResolving = true;
    this.#timer = timer;
  }

  /** The verdict is there, or nobody waits for it any more. */
  stopTimer(): void {
    this.#timer?.cancel();
  }

  get credential(): Credential {
    let last: Credential;
    for (const credential of this.members.values()) last = credential;
    return last;
  }
}

/**
 * Whose rights are one: those of one token, of one function, of one accessor where the host says so and they end at one
 * time. Rights that were given are their subscription's alone.
 */
export function keyOf(
  credential: Credential,
  { accessorId, expiresAt, isPerAccessor }: Acl,
  guarded: Guarded,
): unknown {
  if (typeof credential === 'function')
    return isPerAccessor ? `${ACCESSOR}${JSON.stringify([accessorId, expiresAt])}` : credential;
  return isGiven(credential) ? guarded : `token ${credential ?? ''}`;
}

const ACCESSOR = 'accessor ';

export const isGiven = (credential: Credential): credential is Acl => typeof credential === 'object';

/**
 * Whoever answers for all of an accessor's subscriptions must be that accessor, and still answer for all: one user's
 * rights are not another's, and one stream's not another's either.
 */
export function isStillOf({ acl, key }: Session, answer: Acl): boolean {
  const isOfAccessor = typeof key === 'string' && key.startsWith(ACCESSOR);
  return !isOfAccessor || (answer.isPerAccessor && answer.accessorId === acl.accessorId);
}

/** Those who joined while it was asked for have what they came with: an answer that is another is not theirs. */
export function isForAll({ joined }: Session, answer: Acl | BrokerError): boolean {
  return joined === undefined || BrokerError.is(answer) || isSame(joined, answer);
}

export function isSame(a: Acl, b: Acl): boolean {
  return (
    a.rightsKey === b.rightsKey &&
    a.claimsKey === b.claimsKey &&
    a.accessorId === b.accessorId &&
    a.expiresAt === b.expiresAt &&
    JSON.stringify(a.dependsOn) === JSON.stringify(b.dependsOn)
  );
}
