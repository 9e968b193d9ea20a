import type { StreamClock } from './wait.ts';

/**
 * A 200 without a byte says something only after this long: one that is cut at once is a broken connection like any
 * other.
 */
const SILENT_AFTER_MS = 10_000;

/** A server that names its epoch sends its first heartbeat at once. Without it something on the way holds it back. */
const FIRST_BYTE_MS = 12_500;

/** The time from an answer of 200 to its first byte. */
export class Silence {
  readonly #clock: StreamClock;
  readonly #since: number;
  readonly #namesEpoch: boolean;

  constructor(clock: StreamClock, { headers }: Response) {
    this.#clock = clock;
    this.#since = clock.now();
    this.#namesEpoch = headers.has('X-Fenceline-Epoch');
  }

  /** How long the first byte may take, where others may take `deadAfterMs`. */
  limitMs(deadAfterMs: number): number {
    return this.#namesEpoch ? Math.min(FIRST_BYTE_MS, deadAfterMs) : deadAfterMs;
  }

  get isLong(): boolean {
    return this.#clock.now() - this.#since >= SILENT_AFTER_MS;
  }
}

/** Begins to measure, as parts do that mind it. */
export const silence = (clock: StreamClock, response: Response): Silence => new Silence(clock, response);
