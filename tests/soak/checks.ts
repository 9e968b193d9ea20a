import type { EventBatch, Gap } from 'fenceline';
import type { Made } from './topics.ts';
import type { RightsHistory, Truth } from './truth.ts';

/** What is wrong with what a reader saw. */
export interface Violation {
  readonly kind: 'loss' | 'double' | 'leak' | 'state' | 'end';
  readonly text: string;
}

/** Looks at each batch of one reader, through all of its connections. */
export interface Check {
  see(batch: EventBatch): void;
  /** What was wrong since the last call. What cannot be decided yet waits for a later one, or for the last. */
  settle(isLast: boolean): readonly Violation[];
}

const made = (batch: EventBatch): readonly (Made & { readonly tenant: string })[] =>
  batch.events.map(({ payload, namespace }) => ({ ...(payload as Made), tenant: namespace }));

/** Every lane in order, each number once, each or told as a gap. For who may read all lanes. */
export class LaneCheck implements Check {
  readonly #truth: Truth;
  readonly #last = new Map<string, number>();
  readonly #gaps: Gap[] = [];
  #missing: (readonly [lane: string, n: number])[] = [];
  #found: Violation[] = [];
  #index = 0;

  constructor(truth: Truth) {
    this.#truth = truth;
  }

  see(batch: EventBatch): void {
    if (batch.gap) this.#gaps.push(batch.gap);
    if (batch.index <= this.#index) this.#found.push({ kind: 'double', text: `${batch.index} after ${this.#index}` });
    this.#index = batch.index;
    for (const { lane, n } of made(batch)) {
      const last = this.#last.get(lane) ?? -1;
      if (n <= last) this.#found.push({ kind: 'double', text: `${lane}/${n} after ${last}` });
      for (let m = last + 1; m < n; m++) this.#missing.push([lane, m]);
      this.#last.set(lane, Math.max(last, n));
    }
  }

  /** Whether it has all that was published. */
  get isThere(): boolean {
    return [...this.#truth.lanes].every(([lane, count]) => this.#last.get(lane) === count - 1);
  }

  settle(isLast: boolean): readonly Violation[] {
    const found = this.#found;
    this.#found = [];
    if (isLast)
      for (const [lane, count] of this.#truth.lanes)
        for (let n = (this.#last.get(lane) ?? -1) + 1; n < count; n++) this.#missing.push([lane, n]);
    const undecided: (readonly [string, number])[] = [];
    for (const [lane, n] of this.#missing) {
      const index = this.#truth.indexOf(lane, n);
      if (index > this.#truth.settled) undecided.push([lane, n]);
      else if (!this.#gaps.some(({ from, to }) => from <= index && index <= to))
        found.push({ kind: 'loss', text: `${lane}/${n}, index ${index}` });
    }
    this.#missing = isLast ? [] : undecided;
    return found;
  }
}

/** Where a revocation stands; undefined while there are rights. */
export interface Fence {
  index: number | undefined;
}

/** Nothing above a revocation, while it stands. */
export class FenceCheck implements Check {
  readonly #fence: Readonly<Fence>;
  #found: Violation[] = [];

  constructor(fence: Readonly<Fence>) {
    this.#fence = fence;
  }

  see({ index }: EventBatch): void {
    const { index: fence } = this.#fence;
    if (fence !== undefined && index > fence)
      this.#found.push({ kind: 'leak', text: `index ${index} above the revocation at ${fence}` });
  }

  settle(): readonly Violation[] {
    return this.#found.splice(0);
  }
}

/** When a token ends, milliseconds since 1970. */
export interface Expiry {
  at: number;
}

/** Nothing that was published after a token had expired, until it was renewed. */
export class ExpiryCheck implements Check {
  readonly #expiry: Readonly<Expiry>;
  #found: Violation[] = [];

  constructor(expiry: Readonly<Expiry>) {
    this.#expiry = expiry;
  }

  see(batch: EventBatch): void {
    for (const { lane, n, at } of made(batch))
      if (at > this.#expiry.at)
        this.#found.push({ kind: 'leak', text: `${lane}/${n} published ${at - this.#expiry.at} ms after the end` });
  }

  settle(): readonly Violation[] {
    return this.#found.splice(0);
  }
}

interface SeenBatch {
  readonly index: number;
  readonly version: number;
  readonly gap: Gap | undefined;
}

/** With `scope: 'allowed'`: of each tenant just what the rights allowed at that index. */
export class ScopeCheck implements Check {
  readonly #truth: Truth;
  readonly #rights: RightsHistory;
  /** Batches whose events are not all known yet, with the version of the rights that the store had when they came. */
  readonly #seen: SeenBatch[] = [];
  readonly #got = new Set<number>();
  #next = 0;
  #found: Violation[] = [];
  #index = 0;
  #gaps: Gap[] = [];

  constructor(truth: Truth, rights: RightsHistory) {
    this.#truth = truth;
    this.#rights = rights;
  }

  see({ index, gap }: EventBatch): void {
    if (index <= this.#index) this.#found.push({ kind: 'double', text: `${index} after ${this.#index}` });
    this.#index = index;
    this.#got.add(index);
    this.#seen.push({ index, version: this.#rights.newest, gap });
  }

  settle(): readonly Violation[] {
    while (this.#seen[0] && this.#seen[0].index <= this.#truth.settled) {
      const seen = this.#seen.shift();
      if (seen) this.#pass(seen);
    }
    return this.#found.splice(0);
  }

  /** What was published up to this batch was to come before it, or not at all. */
  #pass({ index, version, gap }: SeenBatch): void {
    if (gap) this.#gaps.push(gap);
    const { jobs } = this.#truth;
    for (let job = jobs[this.#next]; job && job.index <= index; job = jobs[++this.#next]) {
      const hasCome = this.#got.delete(job.index);
      const answer = this.#rights.allows(job.tenant, job.index, version);
      const text = `${job.lane}/${job.n} of ${job.tenant}, index ${job.index}`;
      if (hasCome && answer === 'none') this.#found.push({ kind: 'leak', text });
      const isTold = this.#gaps.some(({ from, to }) => from <= job.index && job.index <= to);
      if (!hasCome && answer === 'all' && !isTold) this.#found.push({ kind: 'loss', text });
    }
  }
}

/** What a reader of the state holds is the state, whenever it is told that it is. */
export class StateCheck implements Check {
  readonly #truth: Truth;
  #held = new Map<string, number>();
  #isCurrent = false;
  #index = 0;
  #waiting: { readonly index: number; readonly held: ReadonlyMap<string, number> }[] = [];
  /** How often it was compared. */
  compared = 0;

  constructor(truth: Truth) {
    this.#truth = truth;
  }

  see({ index, events, removed = [], current, gap }: EventBatch): void {
    if (gap?.reason === 'state' || gap?.reason === 'restarted' || gap?.reason === 'ahead') this.begin();
    for (const { key, payload } of events) this.#held.set(key, (payload as { readonly n: number }).n);
    for (const { key } of removed) this.#held.delete(key);
    if (current) {
      this.#isCurrent = true;
      this.#waiting.push({ index, held: new Map(this.#held) });
    }
    this.#index = index;
  }

  isHolding(key: string): boolean {
    return this.#held.has(key);
  }

  /** A stream that starts from nothing. */
  begin(): void {
    this.#held = new Map();
    this.#isCurrent = false;
  }

  settle(isLast: boolean): readonly Violation[] {
    if (isLast && this.#isCurrent) this.#waiting.push({ index: Infinity, held: this.#held });
    const due = this.#waiting.filter(({ index }) => isLast || index <= this.#truth.settled);
    this.#waiting = this.#waiting.filter((one) => !due.includes(one));
    return due.flatMap(({ index, held }) => this.#compare(index, held));
  }

  #compare(index: number, held: ReadonlyMap<string, number>): readonly Violation[] {
    this.compared++;
    const wanted = this.#truth.itemsAt(index);
    const wrong = [...new Set([...wanted.keys(), ...held.keys()])].filter((key) => wanted.get(key) !== held.get(key));
    if (wrong.length === 0) return [];
    const [key = ''] = wrong;
    const at = `at ${index} (newest batch ${this.#index})`;
    const text = `${wrong.length} objects ${at}: ${key} is ${held.get(key)}, not ${wanted.get(key)}`;
    return [{ kind: 'state', text }];
  }
}
