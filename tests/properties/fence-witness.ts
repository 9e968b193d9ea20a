import type { Gap } from '../../src/model/gap.ts';
import type { FenceProcess } from './fence-process.ts';
import type { SubscribeStep } from './fence-steps.ts';
import type { FenceWorld } from './fence-world.ts';

/** What a batch is on its way to the reader: in process, or parsed from the wire. */
export interface WitnessedBatch {
  readonly index: number;
  readonly namespaces: readonly string[];
}

/** Sees what one subscription is handed, and holds the invariants over it. */
export class FenceWitness {
  readonly #world: FenceWorld;
  readonly #step: SubscribeStep;
  readonly process: FenceProcess;
  readonly #seen = new Map<number, readonly string[]>();
  readonly #gaps: { readonly from: number; readonly to: number }[] = [];
  #start = Infinity;
  readonly #since: number;
  #last = 0;
  #isClosed = false;
  #error: string | undefined;

  constructor(world: FenceWorld, step: SubscribeStep) {
    this.#world = world;
    this.#step = step;
    this.process = world.process(step.process);
    this.#since = world.truth.length - 1;
  }

  /** The subscription is open: from here on it must get everything. */
  opened(): void {
    const { index } = this.#step;
    this.#start = index === 'latest' ? this.process.head + 1 : index;
  }

  /** At the moment when a batch is handed over. */
  batch({ index, namespaces }: WitnessedBatch): void {
    if (index <= this.#last) throw new Error(`${this.#name} got index ${index} after ${this.#last}.`);
    this.#last = index;
    this.#seen.set(index, namespaces);
    for (const namespace of namespaces) {
      const event = this.#world.events.find((one) => one.index === index && one.namespace === namespace);
      if (event === undefined) throw new Error(`${this.#name} got an event at ${index} that nobody published.`);
      if (!this.#world.truth.mayHaveSeen(this.#step, event))
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
    const { index } = this.#step;
    const { oldestIndex } = this.process.broker.stats();
    const oldest = index === 0 ? (this.#seen.keys().next().value ?? oldestIndex) : this.#start;
    for (const event of this.#world.events) {
      if (event.index < oldest) continue;
      if (!this.#world.truth.alwaysSees(this.#step, event, this.#since)) continue;
      owed.set(event.index, [...(owed.get(event.index) ?? []), event.namespace]);
    }
    return owed;
  }

  #checkCause(code: string, now: number, hadFaults: boolean): void {
    const { truth } = this.#world;
    const causes: Readonly<Record<string, boolean>> = {
      acl_revoked: truth.everRefused(this.#step, this.#since),
      acl_expired: truth.everExpired(this.#step, this.#since, now),
      acl_unavailable: hadFaults,
    };
    if (causes[code] !== true) throw new Error(`${this.#name} ended with ${code} for no reason.`);
  }

  get #name(): string {
    const { who, namespace, process } = this.#step;
    return `A subscription of ${who} to "${namespace}" in process ${process}`;
  }
}
