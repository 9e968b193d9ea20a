import type { Clock, ClockTimer } from '../../model/clock.ts';

/** A transport that pushes back. */
export interface Stallable {
  /** Bytes that its peer has not taken yet; undefined where the transport cannot tell. */
  readonly waitingBytes: number | undefined;
  /** It has taken nothing for too long. */
  stalled(): void;
}

interface Watched {
  readonly since: number;
  readonly waitingBytes: number | undefined;
}

/**
 * Ends transports that take nothing for `stalledMs`: a peer that is gone without a word, or does not read, would hold
 * its socket, its buffers and its place for ever. One timer for all: whoever began to wait first is the first that can
 * be due, since a Map keeps that order.
 */
export class StallWatch {
  readonly #clock: Clock;
  readonly #stalledMs: number;
  readonly #watched = new Map<Stallable, Watched>();
  #timer: ClockTimer | undefined;

  /** @param stalledMs Infinity for never */
  constructor(clock: Clock, stalledMs: number) {
    this.#clock = clock;
    this.#stalledMs = stalledMs;
  }

  /** From now on it has to take something within `stalledMs`. */
  add(transport: Stallable): void {
    if (this.#stalledMs === Infinity) return;
    this.#watched.delete(transport);
    this.#watched.set(transport, { since: this.#clock.now(), waitingBytes: transport.waitingBytes });
    this.#timer ??= this.#arm(this.#stalledMs);
  }

  /** It has drained, or ended. */
  remove(transport: Stallable): void {
    if (!this.#watched.delete(transport) || this.#watched.size > 0) return;
    this.stop();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(delayMs: number): ClockTimer {
    return this.#clock.after(delayMs, () => {
      this.#timer = undefined;
      this.#check();
    });
  }

  #check(): void {
    const now = this.#clock.now();
    for (const [transport, { since, waitingBytes }] of this.#watched) {
      const restMs = since + this.#stalledMs - now;
      if (restMs > 0) {
        this.#timer ??= this.#arm(restMs);
        return;
      }
      // A slow peer that takes something is no stalled one, though it may take long until all is taken.
      if (transport.waitingBytes === waitingBytes) this.#end(transport);
      else this.add(transport);
    }
  }

  #end(transport: Stallable): void {
    this.#watched.delete(transport);
    transport.stalled();
  }
}
