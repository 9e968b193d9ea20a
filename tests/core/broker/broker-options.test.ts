import { describe, expect, it } from 'vitest';

import { Acl, defineRights, defineTopics, EventBroker, type EventBrokerOptions } from '../../../src/index.ts';

const make = (options: object) => () => new EventBroker(options as EventBrokerOptions);

describe('an option of a broker that cannot be meant', () => {
  it.each<[string, object, string]>([
    ['a random number for a function', { random: 0.5 }, 'random must be a function; got 0.5.'],
    ['no subscriptions', { maxSubscriptions: 0 }, 'maxSubscriptions must be a number ≥ 1; got 0.'],
    ['less than a millisecond', { stalledMs: 0.5 }, 'stalledMs must be a number ≥ 1; got 0.5.'],
  ])('is refused with what is allowed: %s', (_, options, message) => {
    expect(make(options)).toThrow(TypeError);
    expect(make(options)).toThrow(message);
  });
});

describe('the topics of a broker', () => {
  const topics = defineTopics({ Order: { requires: { namespace: 'read-orders' as never } } });

  it('are the ones that it was made with', () => {
    expect(new EventBroker({ topics }).topics).toBe(topics);
  });

  it('are refused where one needs what the rights of its source do not have', () => {
    const rights = defineRights({ namespace: { capabilities: ['read-parcels'] } });
    const source = { rights, resolve: () => Promise.resolve(Acl.management) };
    expect(make({ topics, acl: source })).toThrow(/Topic "Order".*read-orders/);
  });
});
