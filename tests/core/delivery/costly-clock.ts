import { VirtualClock } from '../../../src/testing/virtual-clock.ts';

/** A flush that takes so long, on a clock that the flush itself moves on. */
export class CostlyClock extends VirtualClock {
  #spentMs = 0;

  override now(): number {
    return super.now() + this.#spentMs;
  }

  spend(costMs: number): void {
    this.#spentMs += costMs;
  }
}
