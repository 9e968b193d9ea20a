import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { EventBroker, AclResolver, MemoryAclStore, type EventBatch } from 'fenceline';
import { MemoryEventLog } from 'fenceline/testing';
import { failureOf } from './reading.ts';

const job = (key: string) => ({ topic: 'Job', type: 'Made', key, payload: 1 });

/** @returns the promise of the whole loop, and the keys that it was given so far */
async function listening(broker: EventBroker, topics = ['*']) {
  const subscription = await broker.subscribe({ topics });
  const keys: string[] = [];
  const gaps: EventBatch['gap'][] = [];
  const done = subscription.forEach(({ events, gap }) => {
    keys.push(...events.map(({ key }) => key));
    if (gap) gaps.push(gap);
  });
  return { subscription, keys, gaps, done };
}

/** Until what was published has come: a turn of the event loop. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Like the objects that database libraries answer with, it is awaited, and is no `Promise` of this module's. */
const OtherPromise = runInNewContext('Promise') as PromiseConstructor;

describe('subscription.forEach', () => {
  it('calls with what waits and with what comes, in order, and resolves when the subscription is closed', async () => {
    const broker = new EventBroker();
    await broker.publish(job('a'));
    const { subscription, keys, done } = await listening(broker);
    expect(keys, 'what waits comes at once').toEqual(['a']);
    await broker.publish([job('b'), job('c')]);
    await broker.publish(job('d'));
    await turn();
    expect(keys).toEqual(['a', 'b', 'c', 'd']);
    subscription.close();
    await expect(done).resolves.toBeUndefined();
    await broker.publish(job('e'));
    expect(keys).toEqual(['a', 'b', 'c', 'd']);
  });

  it('hands all that waits to a listener that answers at once, in one go', async () => {
    const broker = new EventBroker();
    for (const key of ['a', 'b', 'c']) await broker.publish(job(key));
    const { subscription, keys } = await listening(broker);
    expect(keys).toEqual(['a', 'b', 'c']);
    subscription.close();
  });

  it('may be ended by its listener', async () => {
    const broker = new EventBroker();
    const subscription = await broker.subscribe();
    const seen: number[] = [];
    const done = subscription.forEach(({ index }) => {
      seen.push(index);
      subscription.close();
    });
    for (const key of ['a', 'b']) await broker.publish(job(key));
    await done;
    expect(seen).toEqual([1]);
  });

  it('resolves when the host closes the broker, and rejects with why it ended otherwise', async () => {
    const closing = new EventBroker();
    const { done } = await listening(closing);
    await closing.close();
    await expect(done).resolves.toBeUndefined();

    const store = new MemoryAclStore();
    store.upsertToken({ accessorId: 'ann', secretId: 's', type: 'management' });
    const broker = new EventBroker({ acl: new AclResolver({ store }) });
    const subscription = await broker.subscribe({ token: 's' });
    const ended = subscription.forEach(() => undefined);
    store.deleteToken('ann');
    await broker.aclChanged({ token: 'ann' });
    expect(await failureOf(() => ended)).toMatchObject({ code: 'acl_revoked' });
  });

  it('waits for what the listener promises before the next batch, also for what is only like a promise', async () => {
    const broker = new EventBroker();
    const subscription = await broker.subscribe();
    const steps: string[] = [];
    const done = subscription.forEach(({ index }) => {
      steps.push(`begin ${index}`);
      const saved = turn().then(() => steps.push(`end ${index}`));
      return index === 1 ? saved : new OtherPromise((resolve) => void saved.then(resolve));
    });
    for (const key of ['a', 'b', 'c']) await broker.publish(job(key));
    for (let turns = 0; steps.length < 6 && turns < 100; turns++) await turn();
    expect(steps).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2', 'begin 3', 'end 3']);
    subscription.close();
    await done;
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('mine');
      },
    ],
    ['rejects', () => Promise.reject(new Error('mine'))],
  ])('rejects with what a listener that %s gave, frees the subscription, and harms no other', async (_, listener) => {
    const broker = new EventBroker();
    const other = await listening(broker);
    const subscription = await broker.subscribe();
    const done = subscription.forEach(listener);
    const failed = expect(done).rejects.toThrow('mine');
    await broker.publish(job('a'));
    await failed;
    expect(subscription.state).toBe('closed');
    expect(broker.stats().subscriptions).toBe(1);
    await broker.publish(job('b'));
    await turn();
    expect(other.keys).toEqual(['a', 'b']);
  });

  it('tells a gap with the batch after it', async () => {
    const broker = new EventBroker({ buffer: { maxBatches: 1 } });
    const subscription = await broker.subscribe({ index: 0 });
    for (const key of ['a', 'b']) await broker.publish(job(key));
    const batches: EventBatch[] = [];
    const done = subscription.forEach((batch) => batches.push(batch));
    expect(batches).toMatchObject([{ index: 2, gap: { from: 1, to: 1, reason: 'slow' } }]);
    subscription.close();
    await done;
  });

  it('reads on where the backlog is in a log', async () => {
    const log = new MemoryEventLog();
    const broker = new EventBroker({ log, buffer: { maxBatches: 1 } });
    for (const key of ['a', 'b', 'c']) await broker.publish(job(key));
    const { subscription, keys, gaps, done } = await listening(broker);
    for (let turns = 0; keys.length < 3 && turns < 1000; turns++) await turn();
    expect(keys).toEqual(['a', 'b', 'c']);
    expect(gaps).toEqual([]);
    subscription.close();
    await done;
    await broker.close();
  });

  it('refuses what cannot be called, and a second reader, and leaves the subscription as it is', async () => {
    const broker = new EventBroker();
    const { subscription, keys, done } = await listening(broker);
    await expect(subscription.forEach('x' as never)).rejects.toThrow('forEach needs a function; got "x".');
    await expect(subscription.forEach(() => undefined)).rejects.toThrow(TypeError);
    await broker.publish(job('a'));
    await turn();
    expect(keys).toEqual(['a']);
    subscription.close();
    await done;
  });
});
