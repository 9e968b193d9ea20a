import type { AclRef } from '../model/acl-ref.ts';

/** Who depends on which ACL objects. Finding those that a change affects costs the affected ones alone. */
export class DependencyIndex<Who> {
  readonly #dependents = new Map<AclRef, Set<Who>>();
  readonly #refs = new Map<Who, readonly AclRef[]>();

  set(who: Who, refs: readonly AclRef[]): void {
    this.remove(who);
    this.#refs.set(who, refs);
    for (const ref of refs) {
      const dependents = this.#dependents.get(ref) ?? new Set();
      this.#dependents.set(ref, dependents.add(who));
    }
  }

  refsOf(who: Who): readonly AclRef[] {
    return this.#refs.get(who) ?? [];
  }

  remove(who: Who): void {
    for (const ref of this.refsOf(who)) {
      const dependents = this.#dependents.get(ref);
      dependents?.delete(who);
      if (dependents?.size === 0) this.#dependents.delete(ref);
    }
    this.#refs.delete(who);
  }

  clear(): void {
    this.#dependents.clear();
    this.#refs.clear();
  }

  /** Each once. */
  of(refs: readonly AclRef[]): ReadonlySet<Who> {
    const found = new Set<Who>();
    for (const ref of refs) for (const who of this.#dependents.get(ref) ?? []) found.add(who);
    return found;
  }
}
