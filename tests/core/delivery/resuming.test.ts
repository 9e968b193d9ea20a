import { describe, expect, it, onTestFinished } from 'vitest';

import { defineTopics, EventBroker, type EventBrokerOptions } from '../../../src/index.ts';
import { VirtualClock } from '../../../src/testing/index.ts';
import { RecordingSink, shortFormat } from './recording-sink.ts';

const event = { topic: 'Job', type: 'Made', key: 'a', payload: null };

function makeBroker(options: EventBrokerOptions = {}) {
  const clock = new VirtualClock();
  const broker = new EventBroker({ clock, ...options });
  onTestFinished(() => broker.close());
  return { clock, broker };
}

describe('the place where another subscription goes on', () => {
  it('is of the run that is read, though its host named another, where nothing was missed', async () => {
    const { broker } = makeBroker();
    await broker.publish(event);
    const subscription = await broker.subscribe({ index: 'latest', epoch: 'another' });
    expect(subscription.resumeAt).toStrictEqual({ index: 2, epoch: broker.epoch });
  });

  it('is of the run that its host named, until it is told that the indexes began anew', async () => {
    const { clock, broker } = makeBroker();
    await broker.publish(event);
    const subscription = await broker.subscribe({ index: 1, epoch: 'another' });
    expect(subscription.resumeAt.epoch).toBe('another');
    subscription.deliverTo(new RecordingSink(), shortFormat, { heartbeatMs: 0 });
    await clock.settle();
    expect(subscription.resumeAt).toStrictEqual({ index: 2, epoch: broker.epoch });
  });

  it('is of the same run after a gap within it', async () => {
    const { clock, broker } = makeBroker({ buffer: { maxBatches: 2 } });
    const subscription = await broker.subscribe();
    for (let i = 0; i < 4; i++) await broker.publish(event);
    const sink = new RecordingSink();
    subscription.deliverTo(sink, shortFormat, { heartbeatMs: 0 });
    await clock.settle();
    expect(sink.writes.join('')).toBe('(slow 1-2) 3 4 ');
    expect(subscription.resumeAt).toStrictEqual({ index: 5, epoch: broker.epoch });
  });
});

it('the place of a state names which state it was', async () => {
  const topics = defineTopics({ Job: { requires: 'anyone', retain: 'latest' } });
  const { broker } = makeBroker({ topics: topics as never });
  await broker.publish(event);
  const subscription = await broker.subscribe({ topics: ['Job'], state: true });
  while (subscription.poll() !== undefined);
  const { epoch, mark } = subscription;
  expect(mark).toEqual(expect.any(String));
  expect(subscription.resumeAt).toStrictEqual({ index: 2, epoch, mark });
});

it('a subscription may be compressed unless it asks for a topic that may not', async () => {
  const topics = defineTopics({
    Job: { requires: 'anyone' },
    Secret: { requires: 'anyone', compression: false },
  }) as never;
  const { broker } = makeBroker({ topics });
  const mayBe = async (asked: string) => (await broker.subscribe({ topics: [asked] })).mayBeCompressed;
  expect([await mayBe('Job'), await mayBe('Secret'), await mayBe('*')]).toEqual([true, false, false]);
});
