import { BrokerError, type LimitName } from './errors.ts';

/** What is too large in itself fails each time; what finds no room now may find some later. */
const codes = {
  subscriptions: 'at_capacity',
  subscriptionsPerToken: 'at_capacity',
  topicsPerRequest: 'bad_request',
  placesPerRequest: 'bad_request',
  placesInAll: 'at_capacity',
  placesPerToken: 'at_capacity',
  eventsPerBatch: 'bad_request',
  bytesPerEvent: 'bad_request',
} as const satisfies Record<LimitName, 'at_capacity' | 'bad_request'>;

/** Something is past one of a broker's `limits`: the error names which, for who counts and tells it. */
export const limitError = (limit: LimitName, message: string): BrokerError =>
  new BrokerError(codes[limit], message, { limit });
