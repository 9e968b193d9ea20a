import { expect, it } from 'vitest';
import { defineTopics, EventBroker, type EventBatch } from 'fenceline';
import { MemoryEventLog, VirtualClock } from 'fenceline/testing';

import { deferred } from '../../../src/testing/deferred.ts';

const topics = defineTopics({ Order: { requires: 'anyone', retain: 'latest' } });
const order = (key: string) => ({ topic: 'Order', type: 'Placed', key, payload: null }) as const;

/** A log that another one takes the place of, as soon as somebody was told where it stands. */
class ReplacedOnceAsked extends MemoryEventLog {
  #isReplaced = false;

  override async state(): ReturnType<MemoryEventLog['state']> {
    const state = await super.state();
    if (!this.#isReplaced) this.recreate();
    this.#isReplaced = true;
    return state;
  }
}

it('a broker follows a log that was replaced before it had read its state from the new one’s start', async () => {
  const clock = new VirtualClock();
  const log = new ReplacedOnceAsked({ clock });
  const broker = new EventBroker({ topics, log, clock });
  const subscription = await broker.subscribe({ topics: ['Order'] });
  await broker.publish(order('d'));
  await clock.settle();
  const batches: EventBatch[] = [];
  for (let batch = subscription.poll(); batch; batch = subscription.poll()) batches.push(batch);
  expect(broker.epoch).toBe((await log.state()).epoch);
  expect(batches.map(({ index, events }) => [index, events[0]?.key])).toEqual([[1, 'd']]);
  await broker.close();
});

it('what was read of a log is not taken for what the one in its place holds', async () => {
  const clock = new VirtualClock();
  const log = new MemoryEventLog({ clock });
  const read = log.read.bind(log);
  let isHeld = true;
  const held = deferred();
  log.read = async function* (...asked) {
    let isFirst = true;
    for await (const chunk of read(...asked)) {
      if (!isFirst && isHeld) await held.promise;
      isFirst = false;
      yield chunk;
    }
  };
  const broker = new EventBroker({ log, clock, buffer: { maxBatches: 1 } });
  const large = (key: string) => ({ topic: 'Order', type: 'Placed', key, payload: 'x'.repeat(40_000) });
  const publish = async (key: string) => {
    for (let i = 0; i < 6; i++) await broker.publish(large(key));
  };
  const keysOf = async (index: number): Promise<readonly (string | undefined)[]> => {
    const subscription = await broker.subscribe({ index });
    const keys: (string | undefined)[] = [];
    for (let turns = 0; turns < 100 && keys.length < 6; turns++) {
      for (let batch = subscription.poll(); batch; batch = subscription.poll()) keys.push(batch.events[0]?.key);
      await clock.settle();
      await new Promise(setImmediate);
    }
    return keys;
  };
  await publish('old');
  const first = await keysOf(1);
  expect(first.length, 'it waits for its second chunk').toBeLessThan(6);
  expect(new Set(first)).toEqual(new Set(['old']));
  log.recreate();
  isHeld = false;
  await clock.settle();
  await publish('new');
  expect(await keysOf(1)).toEqual(Array.from({ length: 6 }, () => 'new'));
  held.resolve();
  await broker.close();
});
