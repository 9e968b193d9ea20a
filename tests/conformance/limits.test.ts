import { describe, expect, it } from 'vitest';
import { Acl, EventBroker, type BrokerLimits } from 'fenceline';
import { failureOf } from './reading.ts';

const names = (count: number, prefix: string) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

describe('the places of filters', () => {
  it('are bounded for each request, before its rights are looked at', async () => {
    let looks = 0;
    const acl = { resolve: () => (looks++, Acl.management) };
    const broker = new EventBroker({ acl, limits: { placesPerRequest: 100 } });
    const wide = { topics: names(11, 'T'), namespace: names(10, 'n') };
    expect(await failureOf(() => broker.subscribe(wide))).toMatchObject({
      code: 'bad_request',
      message: 'A subscription may ask for at most 100 pairs of namespace and topic, not 110.',
    });
    expect(looks).toBe(0);
    await expect(broker.subscribe({ ...wide, topics: names(10, 'T') })).resolves.toBeDefined();
  });

  it('are bounded for all together; equal filters share theirs, and what ends gives them back', async () => {
    const broker = new EventBroker({ limits: { placesInAll: 30 } });
    const ten = { topics: names(10, 'T'), namespace: '*' };
    const first = await Promise.all([broker.subscribe(ten), broker.subscribe(ten)]);
    await broker.subscribe({ topics: names(20, 'U'), namespace: '*' });
    const more = { topics: ['V'], namespace: '*' };
    expect(await failureOf(() => broker.subscribe(more))).toMatchObject({ code: 'at_capacity', status: 503 });
    expect(broker.stats()).toMatchObject({ subscriptions: 3, interests: 2 });
    for (const subscription of first) subscription.close();
    await expect(broker.subscribe(more)).resolves.toBeDefined();
  });
});

describe('limits that cannot be meant', () => {
  it.each([{ subscriptions: 0 }, { placesInAll: 1.5 }, { placesPerRequest: '7' }, { place: 7 }])('%j', (limits) => {
    expect(() => new EventBroker({ limits: limits as BrokerLimits })).toThrow(TypeError);
  });
});
