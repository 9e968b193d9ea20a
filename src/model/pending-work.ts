/** Work that is under way, as far as somebody may have to wait until all of it is done. */
export class PendingWork {
  #size = 0;
  #whenDone: (() => void)[] = [];

  /** How much of it is under way. */
  get size(): number {
    return this.#size;
  }

  /** @returns the work itself, as it was given */
  add<R>(work: Promise<R>): Promise<R> {
    this.#size++;
    const remove = (): void => this.#remove();
    work.then(remove, remove);
    return work;
  }

  /** Resolves when none is under way any more, however it ended: what is added meanwhile is waited for too. */
  done(): Promise<void> {
    return this.#size === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenDone.push(resolve));
  }

  #remove(): void {
    if (--this.#size > 0) return;
    for (const resolve of this.#whenDone.splice(0)) resolve();
  }
}
