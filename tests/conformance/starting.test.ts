import { describe, expect, it } from 'vitest';
import { EventBroker, type EventBrokerOptions } from '../../src/core/broker/event-broker.ts';
import { drain, failureOf } from './reading.ts';

const job = (key = 'web', namespace = 'default') => ({
  topic: 'Job',
  type: 'JobRegistered',
  key,
  namespace,
  payload: null,
});
const node = (key = 'n1') => ({ topic: 'Node', type: 'NodeRegistration', key, payload: null });

/** A broker with so many jobs published, at the indexes 1, 2, … */
async function brokerWith(count: number, options: EventBrokerOptions = {}): Promise<EventBroker> {
  const broker = new EventBroker(options);
  for (let i = 0; i < count; i++) await broker.publish(job());
  return broker;
}

describe('a subscription starts', () => {
  it('with index 0 at the oldest batch that is held, then live', async () => {
    const broker = await brokerWith(3);
    const subscription = await broker.subscribe({ index: 0 });
    expect(drain(subscription).indexes).toEqual([1, 2, 3]);
    await broker.publish(job());
    expect(drain(subscription).indexes).toEqual([4]);
  });

  it('at index 0 when nothing is said', async () => {
    expect(drain(await (await brokerWith(2)).subscribe()).indexes).toEqual([1, 2]);
  });

  it('with index n at n, inclusive', async () => {
    expect(drain(await (await brokerWith(5)).subscribe({ index: 3 })).indexes).toEqual([3, 4, 5]);
  });

  it('at the next batch that exists when the host skips indexes', async () => {
    const broker = new EventBroker();
    for (const index of [10, 20, 30]) await broker.publish(job(), { index });
    expect(drain(await broker.subscribe({ index: 11 })).indexes).toEqual([20, 30]);
    expect(drain(await broker.subscribe({ index: 5 }))).toMatchObject({ indexes: [10, 20, 30], gaps: [] });
  });

  it('with `latest` at what comes', async () => {
    const broker = await brokerWith(3);
    const subscription = await broker.subscribe({ index: 'latest' });
    expect(drain(subscription).indexes).toEqual([]);
    await broker.publish(job());
    expect(drain(subscription).indexes).toEqual([4]);
  });

  it('with an index ahead of the newest there, neither repeating the newest nor skipping', async () => {
    const broker = await brokerWith(3);
    const next = await broker.subscribe({ index: 4 });
    const later = await broker.subscribe({ index: 6, epoch: broker.epoch });
    for (let i = 0; i < 4; i++) await broker.publish(job());
    expect(drain(next)).toMatchObject({ indexes: [4, 5, 6, 7], gaps: [] });
    expect(drain(later)).toMatchObject({ indexes: [6, 7], gaps: [] });
  });

  it('at the oldest, and is told so, with an index further ahead whose run is not known', async () => {
    const broker = await brokerWith(3);
    const subscription = await broker.subscribe({ index: 51 });
    await broker.publish(job());
    expect(drain(subscription)).toMatchObject({
      indexes: [1, 2, 3, 4],
      gaps: [{ from: 1, to: 50, reason: 'ahead' }],
    });
    expect(await failureOf(() => broker.subscribe({ index: 51, onGap: 'fail' }))).toMatchObject({
      code: 'restarted',
      gap: { from: 1, to: 50, reason: 'ahead' },
    });
  });

  it('ahead, and wakes no sooner than the index that it waits for', async () => {
    const broker = await brokerWith(1);
    const subscription = await broker.subscribe({ index: 3, epoch: broker.epoch });
    const next = subscription.next();
    await broker.publish(job());
    await broker.publish(job());
    expect((await next).value).toMatchObject({ index: 3 });
  });
});

describe('a subscription that starts at a trimmed index', () => {
  it('is told which batches may be missing, with the first batch', async () => {
    const broker = await brokerWith(5, { buffer: { maxBatches: 2 } });
    const { batches } = drain(await broker.subscribe({ index: 2 }));
    expect(batches.map(({ index, gap }) => [index, gap])).toEqual([
      [4, { from: 2, to: 3, reason: 'trimmed' }],
      [5, undefined],
    ]);
  });

  it('has no gap at the oldest batch, nor with index 0', async () => {
    const broker = await brokerWith(5, { buffer: { maxBatches: 2 } });
    expect(drain(await broker.subscribe({ index: 4 }))).toMatchObject({ indexes: [4, 5], gaps: [] });
    expect(drain(await broker.subscribe({ index: 0 }))).toMatchObject({ indexes: [4, 5], gaps: [] });
  });

  it('is told with the batch that comes later when nothing that matches is held', async () => {
    const broker = new EventBroker({ buffer: { maxBatches: 2 } });
    await broker.publish(job());
    for (let i = 0; i < 3; i++) await broker.publish(node());
    const subscription = await broker.subscribe({ topics: ['Job'], index: 1 });
    expect(drain(subscription).indexes).toEqual([]);
    await broker.publish(job());
    expect(drain(subscription)).toMatchObject({ indexes: [5], gaps: [{ from: 1, to: 1, reason: 'trimmed' }] });
  });

  it('has no gap when its own topics lost nothing', async () => {
    const broker = new EventBroker({ buffer: { maxBatches: 2 } });
    for (let i = 0; i < 4; i++) await broker.publish(job());
    await broker.publish(node());
    expect(drain(await broker.subscribe({ topics: ['Node'], index: 1 }))).toMatchObject({ indexes: [5], gaps: [] });
  });

  it('has no gap when its own namespaces lost nothing', async () => {
    const broker = new EventBroker({ buffer: { maxBatches: 1 } });
    await broker.publish(job('web', 'prod'));
    await broker.publish(job('web', 'default'));
    expect(drain(await broker.subscribe({ namespace: 'default', index: 1 })).gaps).toEqual([]);
    expect(drain(await broker.subscribe({ namespace: ['default', 'prod'], index: 1 })).gaps).toHaveLength(1);
    expect(drain(await broker.subscribe({ namespace: '*', index: 1 })).gaps).toHaveLength(1);
  });

  it('is told of lost events without a namespace whatever its own is', async () => {
    const broker = new EventBroker({ buffer: { maxBatches: 1 } });
    await broker.publish(node());
    await broker.publish(job('web', 'prod'));
    expect(drain(await broker.subscribe({ namespace: 'prod', index: 1 })).gaps).toHaveLength(1);
  });

  it('fails before any event when it asked to', async () => {
    const broker = await brokerWith(5, { buffer: { maxBatches: 2 } });
    const error = await failureOf(() => broker.subscribe({ index: 2, onGap: 'fail' }));
    expect(error).toMatchObject({ code: 'gap', status: 410, message: expect.stringContaining('2 to 3') as string });
    expect(broker.stats().subscriptions).toBe(0);
    expect(drain(await broker.subscribe({ index: 4, onGap: 'fail' })).indexes).toEqual([4, 5]);
  });
});

describe('a subscription that resumes with an epoch', () => {
  it('goes on where it was when it is the same', async () => {
    const broker = await brokerWith(3);
    expect(drain(await broker.subscribe({ index: 3, epoch: broker.epoch }))).toMatchObject({ indexes: [3], gaps: [] });
  });

  it('is told that the indexes began anew when it is another, and gets all that there is', async () => {
    const broker = await brokerWith(3);
    const { indexes, gaps } = drain(await broker.subscribe({ index: 900, epoch: 'of yesterday' }));
    expect(indexes).toEqual([1, 2, 3]);
    expect(gaps).toEqual([{ from: 900, to: 900, reason: 'restarted', epoch: broker.epoch }]);
  });

  it('fails with `restarted` when it is another and it asked to fail', async () => {
    const broker = await brokerWith(3);
    const error = await failureOf(() => broker.subscribe({ index: 2, epoch: 'other', onGap: 'fail' }));
    expect(error).toMatchObject({ code: 'restarted', status: 410, retry: 'resubscribe' });
  });

  it('waits when it is ahead of the newest in the same epoch', async () => {
    const broker = await brokerWith(1);
    const subscription = await broker.subscribe({ index: 3, epoch: broker.epoch });
    await broker.publish([job()]);
    await broker.publish([job()]);
    expect(drain(subscription)).toMatchObject({ indexes: [3], gaps: [] });
  });

  it('that ends before it was told goes on from where it came: the next one is told', async () => {
    const broker = await brokerWith(3);
    const first = await broker.subscribe({ topics: ['Job'], index: 3, epoch: 'of yesterday' });
    expect(first.resumeAt.epoch).toBe('of yesterday');
    first.close();
    const second = await broker.subscribe({ topics: ['Job'], ...first.resumeAt });
    expect(second.poll()).toMatchObject({ index: 1, gap: { reason: 'restarted', epoch: broker.epoch } });
    expect(second.resumeAt).toEqual({ index: 2, epoch: broker.epoch });
    const third = await broker.subscribe({ topics: ['Job'], ...second.resumeAt });
    expect(drain(third)).toMatchObject({ indexes: [2, 3], gaps: [] });
  });

  it('that read the gap and no batch yet goes on from where it came', async () => {
    const broker = await brokerWith(3);
    const first = await broker.subscribe({ topics: ['Node'], index: 3, epoch: 'of yesterday' });
    expect(first.poll()).toBeUndefined();
    expect(first.resumeAt.epoch).toBe('of yesterday');
    await broker.publish(node());
    expect(first.poll()).toMatchObject({ index: 4, gap: { reason: 'restarted' } });
    expect(first.resumeAt).toEqual({ index: 5, epoch: broker.epoch });
  });

  it('is named anew by every broker', () => {
    expect(new EventBroker().epoch).not.toBe(new EventBroker().epoch);
  });
});

describe('a subscription that falls off the buffer', () => {
  it('is told the gap with its next batch, and nothing is hidden', async () => {
    const broker = await brokerWith(2, { buffer: { maxBatches: 3 } });
    const subscription = await broker.subscribe({ index: 1 });
    expect(subscription.poll()?.index).toBe(1);
    for (let i = 0; i < 5; i++) await broker.publish(job());
    const { indexes, gaps } = drain(subscription);
    expect(indexes).toEqual([5, 6, 7]);
    expect(gaps).toEqual([{ from: 2, to: 4, reason: 'slow' }]);
  });

  it('has no gap when nothing that it asked for was lost', async () => {
    const broker = new EventBroker({ buffer: { maxBatches: 2 } });
    const subscription = await broker.subscribe({ topics: ['Node'] });
    for (let i = 0; i < 300; i++) await broker.publish(job());
    await broker.publish(node());
    expect(drain(subscription)).toMatchObject({ indexes: [301], gaps: [] });
  });

  it('ends with `slow` when it asked to fail', async () => {
    const broker = await brokerWith(0, { buffer: { maxBatches: 2 } });
    const subscription = await broker.subscribe({ onGap: 'fail' });
    for (let i = 0; i < 5; i++) await broker.publish(job());
    const { indexes, error } = drain(subscription);
    expect(indexes).toEqual([]);
    expect(error).toMatchObject({ code: 'slow', status: 410 });
    expect(subscription.state).toBe('closed');
  });

  it('is told of all that was lost when it falls off twice before a batch comes', async () => {
    const broker = new EventBroker({ buffer: { maxBatches: 2 } });
    const subscription = await broker.subscribe({ topics: ['Job'] });
    await broker.publish(job());
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 3; i++) await broker.publish(node());
      expect(subscription.poll()).toBeUndefined();
      await broker.publish(job());
    }
    for (let i = 0; i < 2; i++) await broker.publish(node());
    expect(subscription.poll()).toBeUndefined();
    await broker.publish(job());
    expect(drain(subscription)).toMatchObject({ indexes: [12], gaps: [{ from: 1, to: 9, reason: 'slow' }] });
  });

  it('is told that the indexes began anew although it falls off before a batch comes', async () => {
    const broker = await brokerWith(2, { buffer: { maxBatches: 2 } });
    const subscription = await broker.subscribe({ index: 900, epoch: 'of yesterday' });
    for (let i = 0; i < 3; i++) await broker.publish(job());
    expect(drain(subscription).gaps).toEqual([{ from: 1, to: 900, reason: 'restarted', epoch: broker.epoch }]);
  });

  it('advises, when it ends before the gap was told, to resume before the gap', async () => {
    const broker = await brokerWith(0, { buffer: { maxBatches: 2 } });
    const subscription = await broker.subscribe({ topics: ['Job'] });
    for (let i = 0; i < 3; i++) await broker.publish(job());
    for (let i = 0; i < 2; i++) await broker.publish(node());
    expect(subscription.poll()).toBeUndefined();
    await broker.close();
    drain(subscription);
    expect(subscription.error).toMatchObject({ code: 'closed', index: 0 });
  });
});
