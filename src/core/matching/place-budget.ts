import { AccessorCounts } from '../../model/accessor-counts.ts';
import { limitError } from '../../model/limit-error.ts';

/** How many places there may be: of all interests, and of those that were made for one accessor. */
export interface PlaceLimits {
  readonly placesInAll: number;
  readonly placesPerToken: number;
}

/**
 * What interests take of the places. One is paid by the accessor that it was made for, to its end: others who ask for
 * the same cost nothing more.
 */
export class PlaceBudget {
  readonly #limits: PlaceLimits;
  readonly #ofAccessor = new AccessorCounts();
  #used = 0;

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
  }

  /**
   * @param accessorId undefined for who has none, and has no limit of his own
   * @throws BrokerError `at_capacity` when there are not so many left; nothing is taken then
   */
  take(places: number, accessorId: string | undefined): void {
    const { placesInAll, placesPerToken } = this.#limits;
    if (accessorId !== undefined && this.#ofAccessor.of(accessorId) + places > placesPerToken) {
      const message = `All ${placesPerToken} pairs of namespace and topic that one token may have are in use.`;
      throw limitError('placesPerToken', message);
    }
    if (this.#used + places > placesInAll)
      throw limitError('placesInAll', `All ${placesInAll} pairs of namespace and topic are in use.`);
    this.#used += places;
    this.#ofAccessor.add(accessorId, places);
  }

  giveBack(places: number, accessorId: string | undefined): void {
    this.#used -= places;
    this.#ofAccessor.remove(accessorId, places);
  }
}
