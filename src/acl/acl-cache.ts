import type { AclRef } from '../model/acl-ref.ts';
import type { Acl } from './acl.ts';

/**
 * Acls by secret: at most `maxCached`, of which the one unused for longest leaves first. Secrets are in private fields
 * only, so that printing whatever holds a cache does not show them.
 */
export class AclCache {
  readonly #maxCached: number;
  /** Unused for longest first: a Map keeps the order of insertion, and each use inserts anew. */
  readonly #bySecret = new Map<string, Acl>();
  /** Finds what a change concerns, without a walk over all. */
  readonly #secretsByRef = new Map<AclRef, Set<string>>();

  constructor(maxCached: number) {
    this.#maxCached = maxCached;
  }

  get size(): number {
    return this.#bySecret.size;
  }

  get(secret: string): Acl | undefined {
    const acl = this.#bySecret.get(secret);
    if (acl === undefined) return undefined;
    this.#bySecret.delete(secret);
    this.#bySecret.set(secret, acl);
    return acl;
  }

  set(secret: string, acl: Acl): void {
    this.delete(secret);
    this.#bySecret.set(secret, acl);
    for (const ref of acl.dependsOn) this.#secretsOf(ref).add(secret);
    if (this.#bySecret.size > this.#maxCached) this.#deleteOldest();
  }

  delete(secret: string): void {
    const acl = this.#bySecret.get(secret);
    if (acl === undefined) return;
    this.#bySecret.delete(secret);
    for (const ref of acl.dependsOn) this.#forget(ref, secret);
  }

  deleteDependents(ref: AclRef): void {
    for (const secret of [...(this.#secretsByRef.get(ref) ?? [])]) this.delete(secret);
  }

  clear(): void {
    this.#bySecret.clear();
    this.#secretsByRef.clear();
  }

  #deleteOldest(): void {
    const oldest = this.#bySecret.keys().next();
    if (!oldest.done) this.delete(oldest.value);
  }

  #secretsOf(ref: AclRef): Set<string> {
    const secrets = this.#secretsByRef.get(ref) ?? new Set<string>();
    this.#secretsByRef.set(ref, secrets);
    return secrets;
  }

  #forget(ref: AclRef, secret: string): void {
    const secrets = this.#secretsByRef.get(ref);
    secrets?.delete(secret);
    if (secrets?.size === 0) this.#secretsByRef.delete(ref);
  }
}
