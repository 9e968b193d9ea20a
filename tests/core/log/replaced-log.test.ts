import { expect, it } from 'vitest';
import { defineTopics, EventBroker, type EventBatch } from 'fenceline';
import { MemoryEventLog, VirtualClock } from 'fenceline/testing';

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
