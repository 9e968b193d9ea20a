// What a host's own project writes, compiled here with the sources, and by `npm run test:types` with the packed package
// and each version of TypeScript that is supported. Never run. A type that is wrong is an error here: `exactly`.
import { defineTopics, EventBroker, payloadOf, type EventOf, type StandardSchema } from 'fenceline';
import { streamEvents } from 'fenceline/client';
import { eventStreamHandler } from 'fenceline/http';
import { MemoryEventLog } from 'fenceline/testing';

type Same<A, B> = 0 extends 1 & A ? false : [A] extends [B] ? ([B] extends [A] ? true : false) : false;
declare function exactly<Expected>(): { is<Given>(given: Given, isSame: Same<Given, Expected>): boolean };

interface Placed {
  readonly id: string;
  readonly total: number;
}
/** As the schemas of any library are. */
declare const shipped: StandardSchema<
  { by: string; at: Date; parcels?: number },
  { by: string; at: Date; parcels: number }
>;
interface Shipped {
  by: string;
  at: string;
  parcels: number;
}

export const topics = defineTopics({
  Order: {
    types: { OrderPlaced: payloadOf<Placed>(), OrderShipped: shipped },
    requires: 'anyone',
    retain: 'latest',
    removedBy: (event) => event.type === 'OrderShipped' && event.payload.parcels === 0,
    visible: ({ carrier }: { carrier: string }, event) => {
      if (event.type === 'OrderShipped')
        return exactly<Shipped>().is(event.payload, true) && event.payload.by === carrier;
      return exactly<Placed>().is(event.payload, true);
    },
  },
  Parcel: { payload: shipped, visible: (_claims, event) => exactly<Shipped>().is(event.payload, true) },
  Note: {
    payload: payloadOf<Placed>(),
    retain: 'latest',
    removedBy: ['Gone'],
    visible: (_claims, { payload }) => exactly<Placed>().is(payload, true),
  },
  Shipment: { aliasOf: 'Order', types: ['OrderShipped'] },
});

export const broker = new EventBroker({ topics, log: new MemoryEventLog() });
export const handler = eventStreamHandler({ broker, token: (request) => request.headers['x-session']?.toString() });

export async function publish(): Promise<number> {
  // @ts-expect-error the payload of another type
  await broker.publish({ topic: 'Order', type: 'OrderPlaced', key: 'a', payload: { by: 'c', at: new Date() } });
  // @ts-expect-error a type that the topic does not have
  await broker.publish({ topic: 'Order', type: 'OrderLost', key: 'a', payload: { id: 'a', total: 1 } });
  return broker.publish([
    { topic: 'Order', type: 'OrderShipped', key: 'a', payload: { by: 'c', at: new Date() } },
    { topic: 'Order', type: 'OrderPlaced', key: 'a', payload: { id: 'a', total: 1 } },
    { topic: 'Parcel', type: 'any', key: 'a', payload: { by: 'c', at: new Date(), parcels: 7 } },
  ]);
}

export function take(event: EventOf<typeof topics.payloads>): boolean {
  if (event.topic !== 'Order') return exactly<'Parcel' | 'Note'>().is(event.topic, true);
  switch (event.type) {
    case 'OrderPlaced':
      return exactly<Placed>().is(event.payload, true);
    case 'OrderShipped':
      return exactly<Shipped>().is(event.payload, true);
  }
}

export async function read(): Promise<void> {
  for await (const { events } of await broker.subscribe({ topics: ['Order:a', 'Shipment'] })) events.forEach(take);
  for await (const { events } of streamEvents<typeof topics>('http://localhost/')) events.forEach(take);
  broker.state({ topics: ['Note'] }).events.forEach(take);
}

type Read = NonNullable<Awaited<ReturnType<ReturnType<typeof streamEvents<typeof topics>>['next']>>['value']>;
export const all = (batch: Read): boolean => batch.events.every(take);
