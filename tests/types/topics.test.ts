import { describe, expect, expectTypeOf, it } from 'vitest';
import { defineTopics, EventBroker, payloadOf, type EventOf, type NewEventOf } from '../../src/index.ts';
import { nomadEvents, nomadTopics, type NomadPayloads } from '../../src/nomad/index.ts';

interface Order {
  readonly id: string;
  readonly total: number;
}

const topics = defineTopics({
  Order: { payload: payloadOf<Order>(), types: ['OrderPlaced', 'OrderPaid'], requires: { namespace: 'read-orders' } },
  Audit: { payload: payloadOf<{ readonly who: string }>() },
  Note: {},
  OrderPaid: { aliasOf: 'Order', types: ['OrderPaid'] },
});
type Payloads = typeof topics.payloads;

/** Checked by the compiler, and never run. */
export function mustNotCompile(broker: EventBroker<Payloads, 'Order' | 'Audit' | 'Note' | 'OrderPaid'>): void {
  // @ts-expect-error an unknown topic
  void broker.publish({ topic: 'Ordre', type: 'x', key: 'k', payload: { id: 'a', total: 1 } });
  // @ts-expect-error a payload of the wrong shape
  void broker.publish({ topic: 'Order', type: 'x', key: 'k', payload: { id: 'a' } });
  // @ts-expect-error the payload of another topic
  void broker.publish({ topic: 'Audit', type: 'x', key: 'k', payload: { id: 'a', total: 1 } });
  const order = { topic: 'Order', type: 'x', key: 'k', payload: { id: 'a', total: 1 } } as const;
  // @ts-expect-error one bad event among good ones
  void broker.publish([order, { topic: 'Audit', type: 'x', key: 'k', payload: 1 }]);
  // @ts-expect-error nothing is published under an alias
  void broker.publish({ topic: 'OrderPaid', type: 'OrderPaid', key: 'k', payload: { id: 'a', total: 1 } });
  // @ts-expect-error a missing key
  void broker.publish({ topic: 'Note', type: 'x', payload: 1 });
  // @ts-expect-error a filter on an unknown topic
  void broker.subscribe({ topics: ['Ordre'] });
  // @ts-expect-error a filter on a key of an unknown topic
  void broker.subscribe({ topics: ['Ordre:a'] });
  // @ts-expect-error an object of keys with an unknown topic
  void broker.subscribe({ topics: { Ordre: ['*'] } });
  // @ts-expect-error a lower-case name
  void broker.explain({ topics: ['order'] });
  // @ts-expect-error an index that is no number
  void broker.subscribe({ index: 'newest' });
  // @ts-expect-error an onGap that does not exist
  void broker.subscribe({ onGap: 'stop' });
  // @ts-expect-error no requirement of that kind
  defineTopics({ A: { requires: { nodes: 7 } } });
  // @ts-expect-error no ACL object of that kind
  defineTopics({ A: { aclChange: 'user' } });
}

describe('declared topics', () => {
  it('let through what is right', async () => {
    const broker = new EventBroker({ topics });
    const subscription = await broker.subscribe({
      topics: ['Order:a:b', 'OrderPaid', '*:who', 'Note'],
      index: 'latest',
    });
    await broker.subscribe({ topics: { Order: ['a'], '*': ['k'] } });
    await broker.publish({
      topic: 'Order',
      type: 'OrderPaid',
      key: 'a',
      namespace: 'default',
      payload: { id: 'a', total: 1 },
    });
    await broker.publish([{ topic: 'Note', type: 'x', key: 'k', payload: Symbol.iterator.toString() }]);
    expect(subscription.poll()?.events[0]?.payload).toEqual({ id: 'a', total: 1 });
  });

  it('narrow the payload with the topic in a switch', async () => {
    const broker = new EventBroker({ topics });
    const subscription = await broker.subscribe();
    await broker.publish({ topic: 'Order', type: 'OrderPaid', key: 'a', payload: { id: 'a', total: 7 } });
    const totals = subscription.poll()?.events.map((event) => {
      switch (event.topic) {
        case 'Order':
          expectTypeOf(event.payload).toEqualTypeOf<Order>();
          return event.payload.total;
        case 'Audit':
          expectTypeOf(event.payload).toEqualTypeOf<{ readonly who: string }>();
          return event.payload.who.length;
        case 'Note':
          expectTypeOf(event.payload).toEqualTypeOf<unknown>();
          return 0;
      }
    });
    expect(totals).toEqual([7]);
  });

  it('have the types of their events, without the aliases', () => {
    expectTypeOf<EventOf<Payloads>['topic']>().toEqualTypeOf<'Order' | 'Audit' | 'Note'>();
    expectTypeOf<NewEventOf<Payloads>['topic']>().toEqualTypeOf<'Order' | 'Audit' | 'Note'>();
    expectTypeOf<Payloads['Order']>().toEqualTypeOf<Order>();
    expect(topics.names).toEqual(['Order', 'Audit', 'Note', 'OrderPaid']);
  });

  it('may be left out: then any topic goes, and its payload is unknown', async () => {
    const broker = new EventBroker();
    const subscription = await broker.subscribe({ topics: ['Whatever:x'] });
    await broker.publish({ topic: 'Whatever', type: 'x', key: 'x', payload: 1 });
    const batch = subscription.poll();
    expectTypeOf(batch?.events[0]?.payload).toEqualTypeOf<unknown>();
    expect(batch?.events[0]?.payload).toBe(1);
  });

  it('of Nomad take the events of its constructors', async () => {
    const broker = new EventBroker({ topics: nomadTopics });
    const subscription = await broker.subscribe({ topics: ['Job:web', 'NodeDrain'] });
    await broker.publish([nomadEvents.jobRegistered({ ID: 'web' }), nomadEvents.nodeDrain({ ID: 'n' })]);
    const [event] = subscription.poll()?.events ?? [];
    if (event?.topic === 'Job') expectTypeOf(event.payload).toEqualTypeOf<NomadPayloads['Job']>();
    expect(event?.key).toBe('web');
  });
});
