const STEP_MICROS = 10;
const MAX_MICROS = 20e6;

/**
 * Counts of latencies in steps of 10 µs up to 20 s, all of its memory taken at once: an array that grows would stop the
 * client for milliseconds.
 */
export class Histogram {
  #counts = new Uint32Array(MAX_MICROS / STEP_MICROS + 1);
  #size = 0;

  add(micros) {
    this.#counts[(Math.min(MAX_MICROS, Math.max(0, micros)) / STEP_MICROS) | 0]++;
    this.#size++;
  }

  clear() {
    this.#counts.fill(0);
    this.#size = 0;
  }

  /** In microseconds; the middle of its step. */
  quantile(share) {
    let left = Math.floor(share * (this.#size - 1));
    const step = this.#counts.findIndex((count) => (left -= count) < 0);
    return (step + 0.5) * STEP_MICROS;
  }
}
