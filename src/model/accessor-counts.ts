/**
 * How many subscriptions each accessor has open. One counts for whoever it was opened for, to its end. Holds an entry
 * only for those who have one open, so that accessors who come and go take no memory.
 */
export class AccessorCounts {
  readonly #counts = new Map<string, number>();

  of(accessorId: string): number {
    return this.#counts.get(accessorId) ?? 0;
  }

  /** @param accessorId undefined for who has none, and is not counted */
  add(accessorId: string | undefined): void {
    if (accessorId !== undefined) this.#counts.set(accessorId, this.of(accessorId) + 1);
  }

  remove(accessorId: string | undefined): void {
    if (accessorId === undefined) return;
    const left = this.of(accessorId) - 1;
    if (left > 0) this.#counts.set(accessorId, left);
    else this.#counts.delete(accessorId);
  }
}
