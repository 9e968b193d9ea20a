import { describe, expect, it } from 'vitest';
import { EventBroker } from '../../src/core/broker/event-broker.ts';
import { drain, failureOf } from './reading.ts';

const job = (key = 'web', namespace = 'default', filterKeys: readonly string[] = []) => {
  return { topic: 'Job', type: 'JobRegistered', key, namespace, filterKeys, payload: { ID: key } };
};

describe('a batch', () => {
  it('arrives whole: all its matching events under one index, and those alone', async () => {
    const broker = new EventBroker();
    const subscription = await broker.subscribe({ topics: ['Job:a', 'Job:c'] });
    await broker.publish([job('a'), job('b'), job('c'), job('a', 'prod')]);
    const { batches } = drain(subscription);
    expect(batches).toHaveLength(1);
    expect(batches[0]?.events.map(({ key, namespace, index }) => [key, namespace, index])).toEqual([
      ['a', 'default', 1],
      ['c', 'default', 1],
    ]);
  });

  it('has an event once that matches several of the keys', async () => {
    const broker = new EventBroker();
    const subscription = await broker.subscribe({ topics: ['Job:a', 'Job:k1', 'Job:k2', '*:k1'] });
    await broker.publish(job('a', 'default', ['k1', 'k2']));
    expect(drain(subscription).batches.map(({ events }) => events.length)).toEqual([1]);
  });

  it('without a matching event does not arrive', async () => {
    const broker = new EventBroker();
    const subscription = await broker.subscribe({ topics: ['Node'] });
    await broker.publish(job());
    expect(subscription.poll()).toBeUndefined();
  });

  it('keeps the order of its events', async () => {
    const broker = new EventBroker();
    const subscription = await broker.subscribe();
    await broker.publish(['c', 'a', 'b'].map((key) => job(key)));
    expect(drain(subscription).batches[0]?.events.map(({ key }) => key)).toEqual(['c', 'a', 'b']);
  });

  it('is there for poll() when publish has returned', async () => {
    const broker = new EventBroker();
    const subscription = await broker.subscribe();
    const published = broker.publish(job());
    expect(subscription.poll()?.index).toBe(1);
    await expect(published).resolves.toBe(1);
  });
});

describe('indexes', () => {
  it('rise by one, or as the host says', async () => {
    const broker = new EventBroker();
    expect(await broker.publish(job())).toBe(1);
    expect(await broker.publish(job(), { index: 40 })).toBe(40);
    expect(await broker.publish(job())).toBe(41);
  });

  it.each([5, 4, 1])('refuse %d after 5, and nothing is published', async (index) => {
    const broker = new EventBroker();
    await broker.publish(job(), { index: 5 });
    expect(await failureOf(() => broker.publish(job(), { index }))).toMatchObject({ code: 'index_conflict' });
    expect(broker.stats()).toMatchObject({ latestIndex: 5, bufferedBatches: 1 });
  });

  it('end at the largest safe integer, and say so', async () => {
    const broker = new EventBroker();
    await broker.publish(job(), { index: Number.MAX_SAFE_INTEGER });
    expect(await failureOf(() => broker.publish(job()))).toMatchObject({ code: 'index_conflict' });
    expect(broker.stats().latestIndex).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('are given only where the newest is the expected one, when one is expected', async () => {
    const broker = new EventBroker();
    await broker.publish(job(), { expectedIndex: 0 });
    expect(await failureOf(() => broker.publish(job(), { expectedIndex: 0 }))).toMatchObject({
      code: 'index_conflict',
    });
    expect(await broker.publish(job(), { expectedIndex: 1 })).toBe(2);
  });
});

describe('what was published', () => {
  it('does not change with what the host changes afterwards', async () => {
    const broker = new EventBroker();
    const subscription = await broker.subscribe();
    const payload = { ID: 'web', Tags: ['a'] };
    const filterKeys = ['k'];
    await broker.publish({ ...job(), payload, filterKeys });
    payload.Tags.push('b');
    filterKeys[0] = 'other';
    expect(subscription.poll()?.events[0]).toMatchObject({ payload: { ID: 'web', Tags: ['a'] }, filterKeys: ['k'] });
  });

  it('cannot be changed by a reader', async () => {
    const broker = new EventBroker();
    const [one, other] = [await broker.subscribe(), await broker.subscribe()];
    await broker.publish(job());
    const batch = one.poll() as { index: number; events: { key: string; payload: { ID: string } }[] } | undefined;
    expect(() => batch?.events.pop()).toThrow(TypeError);
    for (const change of [
      () => Object.assign(batch ?? {}, { index: 9 }),
      () => Object.assign(batch?.events[0] ?? {}, { key: 'x' }),
      () => Object.assign(batch?.events[0]?.payload ?? {}, { ID: 'x' }),
    ])
      expect(change).toThrow(TypeError);
    expect(other.poll()).toMatchObject({ index: 1, events: [{ key: 'web', payload: { ID: 'web' } }] });
  });

  it('is one frozen object for all who ask for the same', async () => {
    const broker = new EventBroker();
    const [one, other] = [await broker.subscribe({ topics: ['Job'] }), await broker.subscribe({ topics: ['Job:*'] })];
    await broker.publish(job());
    expect(one.poll()).toBe(other.poll());
  });
});

describe('a publish with a commit', () => {
  it('gets its index after the commit is done', async () => {
    const broker = new EventBroker();
    const order: string[] = [];
    const slow = broker.publish(job('slow'), {
      commit: async () => {
        await null;
        order.push(`committed at ${broker.stats().latestIndex}`);
      },
    });
    await broker.publish(job('quick'));
    expect(await slow).toBe(2);
    expect(order).toEqual(['committed at 1']);
  });

  it('publishes nothing when the commit fails, and fails with the same error', async () => {
    const broker = new EventBroker();
    const failure = new Error('of the database');
    await expect(broker.publish(job(), { commit: () => Promise.reject(failure) })).rejects.toBe(failure);
    expect(broker.stats().latestIndex).toBe(0);
  });

  it('checks the events before it commits', async () => {
    const broker = new EventBroker();
    let commits = 0;
    await failureOf(() => broker.publish({ ...job(), payload: { n: 1n } }, { commit: () => commits++ }));
    expect(commits).toBe(0);
  });
});
