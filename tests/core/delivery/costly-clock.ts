import { VirtualClock } from '../../../src/testing/virtual-clock.ts';

/** A clock that a test moves on within a call, by as much as the call is to have cost. */
export class CostlyClock extends VirtualClock {
  #spentMs = 0;

  override now(): number {
    return super.now() + this.#spentMs;
  }

  spend(costMs: number): void {
    this.#spentMs += costMs;
  }
}
