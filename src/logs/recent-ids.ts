/** Past so many ids the oldest one is forgotten before its time. */
const MAX_IDS = 65_536;

/** The ids of the last appends: those within a window of time, {@link MAX_IDS} at most. */
export class RecentIds {
  readonly #windowMs: number;
  /** In the order of time: a Map keeps the order of insertion. */
  readonly #ids = new Map<string, { readonly index: number; readonly time: number }>();

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** The index of the record that was appended with this id within the window before `now`. */
  indexOf(id: string, now: number): number | undefined {
    this.#forget(now);
    return this.#ids.get(id)?.index;
  }

  add(id: string, index: number, time: number): void {
    this.#ids.set(id, { index, time });
  }

  clear(): void {
    this.#ids.clear();
  }

  #forget(now: number): void {
    for (const [id, { time }] of this.#ids) {
      if (now - time <= this.#windowMs && this.#ids.size <= MAX_IDS) return;
      this.#ids.delete(id);
    }
  }
}
