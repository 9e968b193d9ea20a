// What the examples publish: orders of a shop, one every half second.
import { BrokerError, defineTopics, payloadOf, type EventBroker } from 'fenceline';

export interface Order {
  readonly id: string;
  readonly total: number;
}

export const topics = defineTopics({
  Order: { payload: payloadOf<Order>(), types: ['OrderPlaced'], requires: { namespace: 'read-orders' } },
});

type Orders = EventBroker<(typeof topics)['payloads'], 'Order'>;

/** Publishes until the broker is closed. */
export function takeOrders(broker: Orders, everyMs = 500): void {
  let count = 0;
  const take = (): void => {
    const order: Order = { id: `o-${++count}`, total: (count * 7) % 50 };
    const event = { topic: 'Order', type: 'OrderPlaced', key: order.id, namespace: 'default', payload: order } as const;
    broker.publish(event).catch((error: unknown) => {
      // While a log does not answer an order is refused, and the next is tried all the same.
      if (BrokerError.is(error) && error.code === 'closed') clearInterval(timer);
      else console.error(`${order.id} was not published: ${String(error)}`);
    });
  };
  const timer = setInterval(take, everyMs);
  take();
}
