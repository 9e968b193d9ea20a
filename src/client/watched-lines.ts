import { LineReader } from './line-reader.ts';
import type { StreamClock } from './wait.ts';

/**
 * A 200 without a byte says something only after this long: one that is cut at once is a broken connection like any
 * other.
 */
const SILENT_AFTER_MS = 10_000;

/** A server that names its epoch sends its first heartbeat at once. Without it something on the way holds it back. */
const FIRST_BYTE_MS = 12_500;

/** What of a stream's settings its lines need. */
export interface LineSettings {
  readonly clock: StreamClock;
  readonly maxLineBytes: number;
}

/** Lines of an answer of 200, and how long it has been silent. */
export class WatchedLines extends LineReader {
  readonly #clock: StreamClock;
  readonly #namesEpoch: boolean;
  /** When the answer came; undefined after its first byte. */
  #silentSince: number | undefined;

  constructor({ headers }: Response, { clock, maxLineBytes }: LineSettings) {
    super(maxLineBytes);
    this.#clock = clock;
    this.#silentSince = clock.now();
    this.#namesEpoch = headers.has('X-Fenceline-Epoch');
  }

  override push(chunk: Uint8Array): void {
    super.push(chunk);
    if (chunk.length) this.#silentSince = undefined;
  }

  /** There was no byte for long. */
  get isSilent(): boolean {
    return this.#silentSince !== undefined && this.#clock.now() - this.#silentSince >= SILENT_AFTER_MS;
  }

  /** How long the next bytes may take, where later ones may take `deadAfterMs`. */
  limitMs(deadAfterMs: number): number {
    const isFirst = this.#silentSince !== undefined && this.#namesEpoch;
    return isFirst ? Math.min(FIRST_BYTE_MS, deadAfterMs) : deadAfterMs;
  }
}
