import { closed } from '../../model/errors.ts';

/** Whether a broker takes part. Once it is over it stays so. */
export class Lifetime {
  #isOver = false;

  /** @returns false when it was over already */
  end(): boolean {
    const wasOpen = !this.#isOver;
    this.#isOver = true;
    return wasOpen;
  }

  /** @throws BrokerError `closed` */
  requireOpen(): void {
    if (this.#isOver) throw closed();
  }
}
