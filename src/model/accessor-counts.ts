/**
 * What each accessor has: of subscriptions, of places. Holds an entry only for those who have something, so that
 * accessors who come and go take no memory.
 */
export class AccessorCounts {
  readonly #counts = new Map<string, number>();

  of(accessorId: string): number {
    return this.#counts.get(accessorId) ?? 0;
  }

  /** @param accessorId undefined for who has none, and is not counted */
  add(accessorId: string | undefined, count = 1): void {
    if (accessorId !== undefined) this.#counts.set(accessorId, this.of(accessorId) + count);
  }

  remove(accessorId: string | undefined, count = 1): void {
    if (accessorId === undefined) return;
    const left = this.of(accessorId) - count;
    if (left > 0) this.#counts.set(accessorId, left);
    else this.#counts.delete(accessorId);
  }
}
