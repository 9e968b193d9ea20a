import { describe, expect, it } from 'vitest';

import { defineTopics, EventBroker } from '../../../src/index.ts';

describe('a state that is read in process', () => {
  it('is told as current by a batch without events, which cannot be changed', async () => {
    const topics = defineTopics({ Job: { requires: 'anyone', retain: 'latest' } });
    const broker = new EventBroker({ topics });
    await broker.publish({ topic: 'Job', type: 'Made', key: 'a', payload: null });
    const subscription = await broker.subscribe({ topics: ['Job'], state: true });
    expect(subscription.poll()).toMatchObject({ index: 1, events: [{ key: 'a' }] });
    const { value } = await subscription.next();
    expect(value).toEqual({ index: 1, events: [], current: true });
    expect([Object.isFrozen(value), Object.isFrozen(value?.events)]).toEqual([true, true]);
  });
});
