/** What a server took, `at` seconds after the start. */
export interface MemorySample {
  readonly at: number;
  readonly heapBytes: number;
  readonly residentBytes: number;
}

/** One minute of the soak. Latencies are from `publish` to the reader's loop, in ms. */
export interface Minute {
  readonly minute: number;
  readonly published: number;
  readonly delivered: number;
  readonly p50: number;
  readonly p99: number;
  readonly heapMegabytes: number;
  readonly residentMegabytes: number;
}

/** Most latencies that are kept of a minute: beyond, each takes the place of an earlier one, so that all count. */
const KEPT = 20_000;

/** Takes latencies, and gives the figures of a minute. */
export class Latencies {
  readonly #kept: number[] = [];
  #count = 0;

  add(ms: number): void {
    this.#count++;
    if (this.#kept.length < KEPT) this.#kept.push(ms);
    else {
      const at = Math.floor(Math.random() * this.#count);
      if (at < KEPT) this.#kept[at] = ms;
    }
  }

  /** Forgets what it took. */
  take(): { readonly delivered: number; readonly p50: number; readonly p99: number } {
    const sorted = this.#kept.splice(0).toSorted((a, b) => a - b);
    const delivered = this.#count;
    this.#count = 0;
    return { delivered, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99) };
  }
}

export const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

const median = (values: readonly number[]): number =>
  quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );

/** What memory may grow by, of what it was: this share, and this much on top. */
export const GROWTH_SHARE = 0.1;
export const GROWTH_BYTES = 8 * 2 ** 20;

/** The heap late in the run, beside what it was once everything was warm. */
export interface Growth {
  readonly fromBytes: number;
  readonly toBytes: number;
  readonly allowedBytes: number;
}

/** Medians of the second and of the last quarter: in the first, caches and buffers fill up to their bounds. */
export function growthOf(samples: readonly MemorySample[]): Growth {
  const quarter = (which: number): number =>
    median(
      samples
        .slice(Math.floor((samples.length * which) / 4), Math.ceil((samples.length * (which + 1)) / 4))
        .map(({ heapBytes }) => heapBytes),
    );
  const fromBytes = quarter(1);
  return { fromBytes, toBytes: quarter(3), allowedBytes: Math.round(fromBytes * (1 + GROWTH_SHARE) + GROWTH_BYTES) };
}
