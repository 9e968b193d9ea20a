// Tests of a host's own code, with a broker in the test's process. Run it: npm run example examples/14-unit-testing.ts
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventBroker, type NewEventOf } from 'fenceline';
import { topics, type Order } from './orders.ts';

/** The host's code: it publishes what it does. */
class Shop {
  readonly #publish: (event: NewEventOf<(typeof topics)['payloads']>) => Promise<number>;

  constructor(publish: (event: NewEventOf<(typeof topics)['payloads']>) => Promise<number>) {
    this.#publish = publish;
  }

  async place(order: Order): Promise<void> {
    await this.#publish({ topic: 'Order', type: 'OrderPlaced', key: order.id, namespace: 'default', payload: order });
  }
}

void test('placing an order tells those who watch it, and nobody else', async () => {
  const broker = new EventBroker({ topics });
  const mine = await broker.subscribe({ topics: ['Order:o-1'] });
  const other = await broker.subscribe({ topics: ['Order:o-2'] });

  await new Shop((event) => broker.publish(event)).place({ id: 'o-1', total: 12 });

  // No waiting: without a log, what was published is there.
  assert.deepEqual(mine.poll()?.events[0]?.payload, { id: 'o-1', total: 12 });
  assert.equal(other.poll(), undefined);
  await broker.close();
});
