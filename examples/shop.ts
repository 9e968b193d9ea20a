// The shop of the examples about rights: orders of several tenants, and what one may do with them.
import { BrokerError, defineRights, defineTopics, payloadOf, type NewEvent } from 'fenceline';

export const rights = defineRights({
  namespace: { capabilities: ['read-orders', 'read-audit'], levels: { read: ['read-orders'] } },
});

export interface Order {
  readonly id: string;
  readonly owner: string;
  readonly total: number;
}

export const shopTopics = defineTopics(
  {
    Order: { payload: payloadOf<Order>(), requires: { namespace: 'read-orders' } },
    Audit: { payload: payloadOf<{ readonly text: string }>(), requires: { namespace: 'read-audit' } },
    /** Its key is an agent: a ticket that is opened or closed changes what they may see, from its own place on. */
    Ticket: { payload: payloadOf<{ readonly customer: string }>(), aclChange: 'token' },
  },
  { rights },
);

/** Who works where: alice and bob for acme, carol for beta. */
export const tenantOf = (user: string): string => (user === 'carol' ? 'beta' : 'acme');

interface OrderBroker {
  publish(event: NewEvent<'Order', Order>): Promise<number>;
}

const owners = ['alice', 'bob', 'carol'];

/** An order every half second, of each of them in turn, until the broker is closed. */
export function takeOrdersOf(broker: OrderBroker, everyMs = 500): void {
  let count = 0;
  const take = (): void => {
    const owner = owners[count++ % owners.length] as string;
    const order: Order = { id: `o-${count}`, owner, total: (count * 7) % 50 };
    const event = {
      topic: 'Order',
      type: 'Placed',
      key: order.id,
      namespace: tenantOf(owner),
      payload: order,
    } as const;
    broker.publish(event).catch((error: unknown) => {
      if (BrokerError.is(error) && error.code === 'closed') clearInterval(timer);
      else throw error;
    });
  };
  const timer = setInterval(take, everyMs);
  take();
}
