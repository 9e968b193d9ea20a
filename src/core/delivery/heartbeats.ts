import type { Clock, ClockTimer } from '../../model/clock.ts';

/** Whoever gets a heartbeat. */
export interface Beating {
  beat(): void;
}

/**
 * All heartbeats of one interval, on one timer: a circle of slots, of which each tick serves the next. A stream stands
 * in the slot that was served last when it came, so its heartbeats follow one interval apart. No timer runs while
 * nobody listens.
 */
export class Heartbeats {
  readonly #clock: Clock;
  readonly #tickMs: number;
  readonly #slots: Set<Beating>[];
  readonly #onEmpty: () => void;
  #size = 0;
  #next = 0;
  #timer: ClockTimer | undefined;

  /**
   * @param maxSlots the circle is cut into at most this many, so that heartbeats spread out
   * @param onEmpty called when the last stream has gone
   */
  constructor(clock: Clock, intervalMs: number, maxSlots: number, onEmpty: () => void) {
    const count = Math.max(1, Math.min(maxSlots, Math.floor(intervalMs / 10)));
    this.#clock = clock;
    this.#tickMs = intervalMs / count;
    this.#slots = Array.from({ length: count }, () => new Set());
    this.#onEmpty = onEmpty;
  }

  /** @returns what takes the stream out again */
  add(stream: Beating): () => void {
    const slot = this.#slots.at(this.#next - 1) ?? new Set();
    slot.add(stream);
    this.#size++;
    this.#timer ??= this.#clock.after(this.#tickMs, () => this.#tick());
    return () => {
      if (slot.delete(stream) && --this.#size === 0) this.#stop();
    };
  }

  #stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#onEmpty();
  }

  #tick(): void {
    this.#timer = this.#clock.after(this.#tickMs, () => this.#tick());
    const slot = this.#slots[this.#next] ?? [];
    this.#next = (this.#next + 1) % this.#slots.length;
    for (const stream of [...slot]) stream.beat();
  }
}
