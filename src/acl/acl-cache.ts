import type { AclRef } from '../model/acl-ref.ts';
import type { Acl } from './acl.ts';
import { DependencyIndex } from './dependency-index.ts';

/**
 * Acls by secret: at most `maxCached`, of which the one unused for longest leaves first. Secrets are in private fields
 * only, so that printing whatever holds a cache does not show them.
 */
export class AclCache {
  readonly #maxCached: number;
  /** Unused for longest first: a Map keeps the order of insertion, and each use inserts anew. */
  readonly #bySecret = new Map<string, Acl>();
  /** Finds the secrets that a change concerns, without a walk over all. */
  readonly #dependents = new DependencyIndex<string>();

  constructor(maxCached: number) {
    this.#maxCached = maxCached;
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
    this.#dependents.set(secret, acl.dependsOn);
    for (const oldest of this.#bySecret.keys()) {
      if (this.#bySecret.size <= this.#maxCached) return;
      this.delete(oldest);
    }
  }

  delete(secret: string): void {
    this.#bySecret.delete(secret);
    this.#dependents.remove(secret);
  }

  deleteDependents(refs: readonly AclRef[]): void {
    for (const secret of this.#dependents.of(refs)) this.delete(secret);
  }

  clear(): void {
    this.#bySecret.clear();
    this.#dependents.clear();
  }
}
