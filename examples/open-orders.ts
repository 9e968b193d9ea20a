// Orders that are kept as state while they are open: placed, packed, sent, and gone when they are delivered.
import { BrokerError, defineTopics, payloadOf, type EventBroker, type NewEventOf } from 'fenceline';

export interface OpenOrder {
  readonly customer: string;
  readonly step: string;
}

export const topics = defineTopics({
  Order: {
    payload: payloadOf<OpenOrder>(),
    requires: { namespace: 'read-orders' },
    retain: 'latest',
    removedBy: ['OrderDelivered'],
  },
});

type Orders = EventBroker<(typeof topics)['payloads'], 'Order'>;
type OrderEvent = NewEventOf<(typeof topics)['payloads']>;

const steps = ['placed', 'packed', 'sent', 'delivered'] as const;
const customers = ['alice', 'bob', 'carol'];

/** Each time a new order is placed, and those before it go a step further; until the broker is closed. */
export function moveOrders(broker: Orders, everyMs = 500): void {
  let placed = 0;
  const move = (): void => {
    placed++;
    // Of every fourth order one is in each of the steps.
    const events = steps.flatMap((step, i) => (placed > i * 2 ? [eventOf(placed - i * 2, step)] : []));
    broker.publish(events).catch((error: unknown) => {
      if (BrokerError.is(error) && error.code === 'closed') clearInterval(timer);
      else console.error(`Orders were not published: ${String(error)}`);
    });
  };
  const timer = setInterval(move, everyMs);
  move();
}

function eventOf(number: number, step: (typeof steps)[number]): OrderEvent {
  const type = `Order${step[0]?.toUpperCase()}${step.slice(1)}`;
  const payload = { customer: customers[number % customers.length] ?? '', step };
  return { topic: 'Order', type, key: `o-${number}`, namespace: 'default', payload };
}
