import { closed } from '../../model/errors.ts';

/**
 * - `open`: it takes part
 * - `draining`: who is there still gets all that is published; nobody is let in
 * - `over`: nothing more can be asked of it
 */
type LifeStage = 'open' | 'draining' | 'over';

/** Whether a broker takes part. It only ever goes on to the next stage. */
export class Lifetime {
  #stage: LifeStage = 'open';

  /** Nobody is let in from now on. */
  drain(): void {
    if (this.#stage === 'open') this.#stage = 'draining';
  }

  end(): void {
    this.#stage = 'over';
  }

  /** @throws BrokerError `closed` once nobody is let in */
  requireAdmitting(): void {
    if (this.#stage !== 'open') throw closed();
  }

  /** @throws BrokerError `closed` when it is over */
  requireOpen(): void {
    if (this.#stage === 'over') throw closed();
  }
}
