import { checkNumber, whole } from '../model/numbers.ts';
import type { Clock } from '../model/clock.ts';
import { systemClock } from '../model/clock.ts';
import { BrokerError, permissionDenied } from '../model/errors.ts';
import { checkOptions } from '../model/options.ts';
import type { AclRef } from '../model/acl-ref.ts';
import { Acl, hasExpired } from './acl.ts';
import { AclCache } from './acl-cache.ts';
import { AclDenial } from './acl-denial.ts';
import type { AclStore } from './acl-store.ts';
import { explainGrants, unreadableOf, type AclExplanation, type AclNeed, type UnreadablePolicy } from './explain.ts';
import { gatherGrants, rulesOf } from './grants.ts';
import { checkRights, openRights, type Rights } from './rights.ts';
import { UnreadablePolicies } from './unreadable-policies.ts';
import { mayTell, withoutSecret } from './without-secret.ts';

/**
 * What the broker asks for rights: an {@link AclResolver}, or anything of a host's own that has `resolve`.
 *
 * `resolve` rejects with BrokerError `permission_denied` for a secret that grants nothing at all (best with an
 * {@link AclDenial} as its cause), and `acl_unavailable` when it cannot tell.
 */
export interface AclSource {
  /** In whose words its rules are: what topics need is held against them when a broker is made. Default unknown. */
  readonly rights?: Rights | undefined;
  resolve(secretId: string | undefined): Acl | Promise<Acl>;
  /** These objects have changed: answers to calls made from now on must not rest on what was read before. */
  changed?(refs: readonly AclRef[]): void;
  /**
   * Anything may have changed, since news was lost (a log that was trimmed unseen, or replaced): as
   * {@link AclSource.changed}, for all objects.
   */
  allChanged?(): void;
  /**
   * Asks to be told of policies that cannot be read, in whole or in part, each once for each way in which it fails.
   * What cannot be read grants nothing.
   * @returns what takes it back
   */
  onUnreadable?(tell: (notice: UnreadablePolicy) => void): () => void;
  explain?(secretId: string | undefined, needs: readonly AclNeed[]): AclExplanation | Promise<AclExplanation>;
}

export interface AclResolverOptions {
  readonly store: AclStore;
  /**
   * In whose words the rules of the policies are written; they read text that is not JSON. Default none: any capability
   * may be listed, and there are no levels.
   */
  readonly rights?: Rights | undefined;
  /** Default: the machine's clock. */
  readonly clock?: Pick<Clock, 'now'>;
  /**
   * How many Acls are kept at most; past it, the one unused for longest is looked up again. Default 10,000; 0: none.
   */
  readonly maxCached?: number;
}

/**
 * A look-up that has taken longer, in ms, is shared with no later caller: one that the store lost would hold its token
 * up for ever.
 */
const SHARED_MS = 5000;

/** By secret, the oldest first. */
type LookUps = Map<string, { readonly acl: Promise<Acl>; readonly begunAt: number }>;

/**
 * The one way from a secret to rights.
 *
 * - No secret (or `''`): the policy named `anonymous`, if there is one.
 * - A management token: everything. Any other: the union of its own policies and those of its roles. Roles and policies
 *   that do not exist grant nothing.
 * - Unknown or expired: denied.
 *
 * Calls for one secret share one look-up; its result is kept until something that it depends on changes
 * ({@link AclResolver.changed}) or it expires. Denials and failures are not kept. Only as many look-ups wait for the
 * store as there are callers, and a look-up that has taken 5 s is shared with no more of them; how long one takes is
 * the store's affair, and the caller's to limit.
 *
 * A host with tokens of its own overrides {@link AclResolver.lookUp}, and keeps the sharing, the cache and the expiry.
 */
export class AclResolver implements AclSource {
  readonly rights: Rights | undefined;
  readonly #store: AclStore;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #cache: AclCache;
  /** Look-ups that later callers may share: those that began after the last change. */
  #underWay: LookUps = new Map();
  readonly #unreadable = new UnreadablePolicies();

  /** @throws TypeError when there is no store, or `maxCached` is not an integer from 0 on */
  constructor(options: AclResolverOptions) {
    checkOptions<AclResolverOptions>(
      options,
      { store: true, rights: true, clock: true, maxCached: true },
      'AclResolver',
    );
    const {
      store,
      rights,
      clock = systemClock,
      maxCached = 10_000,
    } = (options as AclResolverOptions | undefined) ?? {};
    if (typeof store !== 'object' || store === null) throw new TypeError('AclResolver needs a store.');
    checkNumber('maxCached', maxCached, whole(0));
    this.rights = checkRights(rights);
    this.#store = store;
    this.#clock = clock;
    this.#cache = new AclCache(maxCached);
  }

  /**
   * The rights of whoever presents this secret. They have not expired when they are handed out.
   * @throws BrokerError `permission_denied` (cause {@link AclDenial}: unknown or expired, one text for both);
   *   `acl_unavailable` when the store throws, or answers with what cannot be read
   */
  resolve(secretId: string | undefined): Promise<Acl> {
    const key = secretId ?? '';
    const kept = this.#cache.get(key);
    if (kept !== undefined && !this.#hasExpired(kept)) return Promise.resolve(kept);
    this.#cache.delete(key);
    const now = this.#clock.now();
    this.#forgetLost(now);
    return this.#underWay.get(key)?.acl ?? this.#begin(key, now);
  }

  /**
   * Drops whatever depends on these objects. A look-up that is under way may have read any of them before the change:
   * it still answers those who wait for it, but no later caller, and it is not kept.
   */
  changed(refs: readonly AclRef[]): void {
    if (refs.length === 0) return;
    this.#cache.deleteDependents(refs);
    this.#overtake();
  }

  onUnreadable(tell: (notice: UnreadablePolicy) => void): () => void {
    return this.#unreadable.listen(tell);
  }

  /** As {@link changed}, for all objects. */
  allChanged(): void {
    this.#cache.clear();
    this.#overtake();
  }

  /**
   * Why a secret may or may not see something: for operators and tests, never for clients. Reads the store anew.
   * @throws BrokerError `acl_unavailable` when the store throws
   */
  async explain(secretId: string | undefined, needs: readonly AclNeed[]): Promise<AclExplanation> {
    try {
      const rights = this.rights ?? openRights;
      return explainGrants(await gatherGrants(this.#store, secretId, rights), needs, this.#clock.now(), rights);
    } catch (cause) {
      throw unavailable(cause, secretId);
    }
  }

  /**
   * One look-up, without sharing or keeping: override it for other tokens. `secretId` is never `''`. Return an Acl
   * whose `dependsOn` names all that a change could concern; throw an {@link AclDenial} to deny. Whatever else it
   * throws is answered as `acl_unavailable`.
   */
  protected async lookUp(secretId: string | undefined): Promise<Acl> {
    const rights = this.rights ?? openRights;
    const { holder, policies, accessorId, expiresAt, dependsOn, claims } = await gatherGrants(
      this.#store,
      secretId,
      rights,
    );
    if (holder === 'unknown') throw new AclDenial('unknown');
    this.#unreadable.found(unreadableOf(policies));
    return Acl.fromParsed(rulesOf(policies), rights, {
      accessorId,
      expiresAt,
      dependsOn,
      claims,
      management: holder === 'management',
    });
  }

  /** What is being looked up is given to no later caller, and not kept. */
  #overtake(): void {
    this.#underWay = new Map();
  }

  /** Those that a store has lost are shared no more, and not remembered. */
  #forgetLost(now: number): void {
    for (const [key, { begunAt }] of this.#underWay) {
      if (now - begunAt < SHARED_MS) return;
      this.#underWay.delete(key);
    }
  }

  #begin(key: string, begunAt: number): Promise<Acl> {
    const underWay = this.#underWay;
    const lookUp = { acl: this.#lookUpAndKeep(key, underWay), begunAt };
    underWay.set(key, lookUp);
    const end = (): void => {
      if (underWay.get(key) === lookUp) underWay.delete(key);
    };
    lookUp.acl.then(end, end);
    return lookUp.acl;
  }

  async #lookUpAndKeep(key: string, underWay: LookUps): Promise<Acl> {
    const acl = await this.#lookUpLive(key);
    // A change has begun another map: the store may have been read before it.
    if (this.#underWay === underWay) this.#cache.set(key, acl);
    return acl;
  }

  async #lookUpLive(key: string): Promise<Acl> {
    try {
      const acl = await this.lookUp(key === '' ? undefined : key);
      if (this.#hasExpired(acl)) throw new AclDenial('expired', acl.accessorId);
      return acl;
    } catch (error) {
      throw refusal(error, key);
    }
  }

  #hasExpired(acl: Acl): boolean {
    return hasExpired(acl, this.#clock.now());
  }
}

/**
 * @internal What a refusal of a host's is to a subscriber: a denial, or that nobody can tell. A refusal that is one
 * already is handed on as it is, unless it quotes the secret that was asked about.
 */
export function refusal(error: unknown, secret: string | undefined): BrokerError {
  if (AclDenial.is(error)) return permissionDenied(denialWithout(error, secret));
  if (!BrokerError.is(error)) return unavailable(error, secret);
  const { code, cause } = error;
  if (code !== 'permission_denied' && code !== 'acl_unavailable') return unavailable(error, secret);
  if (!secret || !mayTell(error, secret)) return error;
  if (code === 'acl_unavailable') return unavailable(cause, secret);
  return permissionDenied(AclDenial.is(cause) ? denialWithout(cause, secret) : withoutSecret(cause, secret));
}

/** Its own members are none of the secret. */
function denialWithout(denial: AclDenial, secret: string | undefined): AclDenial {
  const { reason, accessorId, finding, cause } = denial;
  return withoutSecret(cause, secret) === cause ? denial : new AclDenial(reason, accessorId, finding);
}

function unavailable(cause: unknown, secret: string | undefined): BrokerError {
  return new BrokerError('acl_unavailable', 'Access rights cannot be checked at the moment.', {
    cause: withoutSecret(cause, secret),
  });
}
