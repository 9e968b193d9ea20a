import type { Gap } from '../../src/core/event.ts';
import type { Step } from './fence-steps.ts';
import type { FenceWorld } from './fence-world.ts';

/** What a batch is on its way to the reader: in process, or parsed from the wire. */
export interface WitnessedBatch {
  readonly index: number;
  readonly namespaces: readonly string[];
}

/** Sees what one subscription is handed, and holds the invariants over it. */
export class FenceWitness {
  readonly #world: FenceWorld;
  readonly #who: string;
  readonly #namespace: string;
  readonly #asked: number | 'latest';
  readonly #seen = new Map<number, readonly string[]>();
  readonly #gaps: { readonly from: number; readonly to: number }[] = [];
  #start = Infinity;
  #sinceState: number;
  #last = 0;
  #isClosed = false;
  #error: string | undefined;

  constructor(world: FenceWorld, { who, namespace, index }: Extract<Step, { do: 'subscribe' }>) {
    this.#world = world;
    this.#who = who;
    this.#namespace = namespace;
    this.#asked = index;
    this.#sinceState = world.truth.length - 1;
  }

  /** The subscription is open: from here on it must get everything. */
  opened(): void {
    this.#start = this.#asked === 'latest' ? this.#world.head + 1 : this.#asked;
  }

  /** THE FENCE: at the moment when a batch is handed over, some state since its index lets the subscription see it. */
  batch({ index, namespaces }: WitnessedBatch): void {
    if (index <= this.#last) throw new Error(`${this.#name} got index ${index} after ${this.#last}.`);
    this.#last = index;
    this.#seen.set(index, namespaces);
    for (const namespace of namespaces) {
      const event = this.#world.events.find((one) => one.index === index && one.namespace === namespace);
      if (event === undefined) throw new Error(`${this.#name} got an event at ${index} that nobody published.`);
      if (!this.#world.truth.mayHaveSeen(this.#reader, event))
        throw new Error(
          `FENCE BROKEN: ${this.#name} got an event of "${namespace}" at index ${index}, above its revocation.`,
        );
    }
  }

  gap({ from, to }: Pick<Gap, 'from' | 'to'>): void {
    this.#gaps.push({ from, to });
  }

  ended(code: string | undefined): void {
    this.#error = code;
    this.#isClosed = true;
  }

  /** No loss while it is allowed, and no end without a cause. */
  checkComplete(now: number, hadFaults: boolean): void {
    if (this.#error !== undefined) return this.#checkCause(this.#error, now, hadFaults);
    if (this.#isClosed) return;
    for (const [index, expected] of this.#owed()) {
      const seen = this.#seen.get(index) ?? [];
      const isTold = this.#gaps.some(({ from, to }) => from <= index && index <= to);
      if (!isTold && expected.some((namespace) => !seen.includes(namespace)))
        throw new Error(
          `${this.#name} from ${this.#start} lost an event at ${index}; it got ${[...this.#seen.keys()].join()}.`,
        );
    }
  }

  /** By index, the namespaces of the events that it was allowed to see all the time. */
  #owed(): ReadonlyMap<number, readonly string[]> {
    const owed = new Map<number, string[]>();
    const oldest =
      this.#asked === 0 ? (this.#seen.keys().next().value ?? this.#world.broker.stats().oldestIndex) : this.#start;
    for (const event of this.#world.events) {
      if (event.index < oldest || (this.#namespace !== '*' && event.namespace !== this.#namespace)) continue;
      if (!this.#world.truth.alwaysSees(this.#reader, event, this.#sinceState)) continue;
      owed.set(event.index, [...(owed.get(event.index) ?? []), event.namespace]);
    }
    return owed;
  }

  #checkCause(code: string, now: number, hadFaults: boolean): void {
    const { truth } = this.#world;
    const causes: Readonly<Record<string, boolean>> = {
      acl_revoked: truth.everRefused(this.#reader, this.#sinceState),
      acl_expired: truth.everExpired(this.#reader, this.#sinceState, now),
      acl_unavailable: hadFaults,
    };
    if (causes[code] !== true) throw new Error(`${this.#name} ended with ${code} for no reason.`);
  }

  get #reader() {
    return { who: this.#who, namespace: this.#namespace };
  }

  get #name(): string {
    return `A subscription of ${this.#who} to "${this.#namespace}"`;
  }
}
