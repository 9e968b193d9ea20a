/** What was published, as its publisher knows it: what readers saw is held against this. */
export class Truth {
  /** By lane, the index of each number. */
  readonly #lanes = new Map<string, number[]>();
  readonly #items: { readonly index: number; readonly key: string; readonly n: number | undefined }[] = [];
  readonly jobs: { readonly index: number; readonly lane: string; readonly n: number; readonly tenant: string }[] = [];
  /** For each publish that is under way, the newest index when it began: what it gets is above. */
  readonly #underway = new Set<number>();
  #head = 0;

  /** Everything with an index up to here is known. */
  get settled(): number {
    return Math.min(this.#head, ...this.#underway);
  }

  /** Publishes, and knows the index from then on. */
  async publish(work: () => Promise<number>, learn: (index: number) => void): Promise<number> {
    // A number may be in use already, and a Set has each once.
    let floor = this.#head;
    while (this.#underway.has(floor)) floor -= 2 ** -20;
    this.#underway.add(floor);
    const index = await work();
    learn(index);
    this.#head = Math.max(this.#head, index);
    this.#underway.delete(floor);
    return index;
  }

  made(lane: string, n: number, tenant: string, index: number): void {
    const indexes = this.#lanes.get(lane) ?? [];
    indexes[n] = index;
    this.#lanes.set(lane, indexes);
    // Lanes are acknowledged side by side: in the order of indexes, nearly always at the end.
    const at = this.jobs.findLastIndex((job) => job.index < index) + 1;
    this.jobs.splice(at, 0, { index, lane, n, tenant });
  }

  item(key: string, n: number | undefined, index: number): void {
    this.#items.push({ index, key, n });
  }

  indexOf(lane: string, n: number): number {
    return this.#lanes.get(lane)?.[n] ?? Infinity;
  }

  /** How many each lane has by now. */
  get lanes(): ReadonlyMap<string, number> {
    return new Map([...this.#lanes].map(([lane, indexes]) => [lane, indexes.length]));
  }

  /** The state at an index, from all that was ever published. */
  itemsAt(index: number): Map<string, number> {
    const held = new Map<string, number>();
    for (const item of this.#items) {
      if (item.index > index) break;
      if (item.n === undefined) held.delete(item.key);
      else held.set(item.key, item.n);
    }
    return held;
  }
}

/** The rights of one token as they change: which tenants, from which index on. */
export class RightsHistory {
  readonly #versions: { readonly tenants: ReadonlySet<string>; index: number }[] = [];

  constructor(tenants: readonly string[]) {
    this.#versions.push({ tenants: new Set(tenants), index: 0 });
  }

  /** The store has them from now on; at which index that was published is told later. @returns their number */
  begin(tenants: readonly string[]): number {
    return this.#versions.push({ tenants: new Set(tenants), index: Infinity }) - 1;
  }

  publish(version: number, index: number): void {
    const changed = this.#versions[version];
    if (changed) changed.index = index;
  }

  get newest(): number {
    return this.#versions.length - 1;
  }

  /**
   * Whether the tenant's event of that index may be shown, to a reader that got what follows it when the store had
   * version `until`: by all of the versions that may have counted, by some of them, or by none. A change that was
   * published up to the event counts; one that the store has already may count.
   */
  allows(tenant: string, index: number, until: number): 'all' | 'some' | 'none' {
    let from = this.#versions.findLastIndex((version) => version.index < index);
    from = Math.max(0, from);
    const answers = this.#versions.slice(from, Math.max(from, until) + 1).map(({ tenants }) => tenants.has(tenant));
    return answers.every(Boolean) ? 'all' : answers.some(Boolean) ? 'some' : 'none';
  }
}
