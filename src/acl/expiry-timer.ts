import type { Clock, ClockTimer } from '../model/clock.ts';

/**
 * One timer for everything that expires: set for the nearest instant. Looking for the next nearest costs a walk, once
 * per instant that was reached.
 */
export class ExpiryTimer<Who> {
  readonly #clock: Clock;
  readonly #expire: (who: Who) => void;
  readonly #instants = new Map<Who, number>();
  #nearest = Infinity;
  #timer: ClockTimer | undefined;

  constructor(clock: Clock, expire: (who: Who) => void) {
    this.#clock = clock;
    this.#expire = expire;
  }

  /** @param at milliseconds since 1970; undefined for never */
  set(who: Who, at: number | undefined): void {
    if (at === undefined) return this.remove(who);
    this.#instants.set(who, at);
    if (at < this.#nearest) this.#arm(at);
  }

  /** As {@link set}, where that is earlier than what is set. */
  setEarlier(who: Who, at = Infinity): void {
    if (at < (this.#instants.get(who) ?? Infinity)) this.set(who, at);
  }

  /** The timer stays: it finds nothing, and is set anew. */
  remove(who: Who): void {
    this.#instants.delete(who);
    if (this.#instants.size === 0) this.stop();
  }

  /** Expires what is due. Asks for the time only when something ever expires. */
  expireDue(): void {
    if (this.#nearest === Infinity) return;
    const now = this.#clock.now();
    if (now < this.#nearest) return;
    const due = [...this.#instants].filter(([, at]) => at <= now);
    for (const [who] of due) this.#instants.delete(who);
    this.#arm(this.#nearestOf());
    for (const [who] of due) this.#expire(who);
  }

  #nearestOf(): number {
    let nearest = Infinity;
    for (const at of this.#instants.values()) nearest = Math.min(nearest, at);
    return nearest;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#nearest = Infinity;
  }

  #arm(at: number): void {
    this.stop();
    if (at === Infinity) return;
    this.#nearest = at;
    this.#timer = this.#clock.after(at - this.#clock.now(), () => {
      // A timer may be early by a fraction of a millisecond: then it is set again.
      if (this.#clock.now() < at) this.#arm(at);
      else this.expireDue();
    });
  }
}
