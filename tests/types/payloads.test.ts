import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { Acl, defineTopics, EventBroker, payloadOf, type EventOf, type NewEventOf } from 'fenceline';
import { streamEvents, type BatchOf } from 'fenceline/client';

interface Placed {
  readonly id: string;
  readonly total: number;
}

const topics = defineTopics({
  Order: {
    types: {
      OrderPlaced: payloadOf<Placed>(),
      OrderShipped: z.object({ carrier: z.string(), at: z.coerce.date(), parcels: z.number().default(1) }),
      OrderPaid: v.object({ cents: v.pipe(v.string(), v.transform(Number)) }),
      OrderClosed: type({ why: "'lost' | 'done'", 'note?': 'string' }),
    },
    requires: 'anyone',
    retain: 'latest',
    removedBy: ['OrderClosed'],
    visible: ({ plan }, event) => (event.type === 'OrderPlaced' ? event.payload.total < 100 : plan === 'all'),
  },
  Audit: { payload: z.object({ who: z.string() }), requires: 'anyone' },
  Load: { payload: payloadOf<readonly number[]>(), requires: 'anyone' },
});
type Payloads = typeof topics.payloads;
type Order = Extract<EventOf<Payloads>, { topic: 'Order' }>;
type NewOrder = Extract<NewEventOf<Payloads>, { topic: 'Order' }>;
type Of<E, Type> = Extract<E, { type: Type }>;

const shipped = { carrier: 'c', at: '2026-01-01T00:00:00.000Z', parcels: 1 };
const anyOrder = { topic: 'Order', key: 'o-1' } as const;

/** Checked by the compiler, and never run. */
export async function mustNotCompile(broker: EventBroker<Payloads, 'Order' | 'Audit' | 'Load'>): Promise<void> {
  // @ts-expect-error an event type that the topic does not have
  await broker.publish({ ...anyOrder, type: 'OrderLost', payload: { id: 'a', total: 1 } });
  // @ts-expect-error the payload of another type
  await broker.publish({ ...anyOrder, type: 'OrderPlaced', payload: shipped });
  // @ts-expect-error what the schema does not accept
  await broker.publish({ ...anyOrder, type: 'OrderPaid', payload: { cents: 7 } });
  const closed = { ...anyOrder, type: 'OrderClosed', payload: { why: 'done' } } as const;
  // @ts-expect-error one bad event among good ones
  await broker.publish([closed, { topic: 'Audit', type: 'x', key: '', payload: closed.payload }]);
  // @ts-expect-error a schema for all types of event
  await broker.publish({ topic: 'Audit', type: 'x', key: 'k', payload: { who: 7 } });
  // @ts-expect-error removed by a type that the topic does not have
  defineTopics({ A: { types: { Made: payloadOf<Placed>() }, retain: 'latest', removedBy: ['Gone'] } });
  // @ts-expect-error types that are neither a list nor by name
  defineTopics({ A: { types: 7 } });
  // @ts-expect-error a misspelt member
  defineTopics({ A: { payloads: payloadOf<Placed>() } });
  defineTopics({
    A: {
      types: { Made: payloadOf<Placed>(), Gone: type({ why: 'string' }) },
      retain: 'latest',
      // @ts-expect-error a payload that not every type has
      removedBy: ({ payload }) => payload.why === '',
    },
  });
  for await (const { events } of await broker.subscribe())
    for (const event of events)
      if (event.topic === 'Order' && event.type === 'OrderPlaced') {
        // @ts-expect-error a member of another type's payload
        expect(event.payload.carrier).toBe('c');
      }
}

/** The same, over HTTP: never run, since nobody serves it. */
export async function overHttp(): Promise<void> {
  for await (const { events } of streamEvents<typeof topics>('http://localhost/'))
    for (const event of events)
      if (event.topic === 'Order' && event.type === 'OrderShipped')
        expectTypeOf(event.payload).toEqualTypeOf<{ carrier: string; at: string; parcels: number }>();
}

describe('payloads by event type', () => {
  it('narrow with the type, for who subscribes', async () => {
    const broker = new EventBroker({ topics });
    const subscription = await broker.subscribe({ topics: ['Order'] });
    await broker.publish([
      { ...anyOrder, type: 'OrderPlaced', payload: { id: 'a', total: 7 } },
      { ...anyOrder, type: 'OrderPaid', payload: { cents: '700' } },
    ]);
    const told = subscription.poll()?.events.map((event) => {
      if (event.topic !== 'Order') return event.topic;
      expectTypeOf(event.type).toEqualTypeOf<'OrderPlaced' | 'OrderShipped' | 'OrderPaid' | 'OrderClosed'>();
      switch (event.type) {
        case 'OrderPlaced':
          expectTypeOf(event.payload).toEqualTypeOf<Placed>();
          return event.payload.total;
        case 'OrderShipped':
          return event.payload.parcels;
        case 'OrderPaid':
          expectTypeOf(event.payload).toEqualTypeOf<{ cents: number }>();
          return event.payload.cents;
        case 'OrderClosed':
          expectTypeOf(event.payload.why).toEqualTypeOf<'lost' | 'done'>();
          return event.payload.note;
      }
    });
    expect(told).toEqual([7, 700]);
  });

  it('narrow in the state, and in a rule of the topic', async () => {
    const broker = new EventBroker({ topics });
    await broker.publish({ ...anyOrder, type: 'OrderPlaced', payload: { id: 'a', total: 7 } });
    const totals = broker.state().events.map((event) => (event.type === 'OrderPlaced' ? event.payload : undefined));
    expect(totals).toEqual([{ id: 'a', total: 7 }]);
    const subscription = await broker.subscribe({
      topics: ['Order'],
      acl: Acl.fromRules([], { claims: { plan: 'x' } }),
    });
    await broker.publish([
      { ...anyOrder, key: 'o-2', type: 'OrderPlaced', payload: { id: 'b', total: 700 } },
      { ...anyOrder, key: 'o-3', type: 'OrderPlaced', payload: { id: 'c', total: 1 } },
    ]);
    const seen = [subscription.poll(), subscription.poll()].flatMap((batch) => batch?.events ?? []);
    expect(seen.map(({ key }) => key)).toEqual(['o-1', 'o-3']);
  });

  it('are told apart by who publishes and who reads: input and output of a schema', () => {
    expectTypeOf<Of<NewOrder, 'OrderPaid'>['payload']>().toEqualTypeOf<{ cents: string }>();
    expectTypeOf<Of<Order, 'OrderPaid'>['payload']>().toEqualTypeOf<{ cents: number }>();
    expectTypeOf<Of<NewOrder, 'OrderShipped'>['payload']['parcels']>().toEqualTypeOf<number | undefined>();
    expectTypeOf<Of<NewOrder, 'OrderPlaced'>['payload']>().toEqualTypeOf<Placed>();
  });

  it('have a Date of a schema as its text, as readers get it', () => {
    expectTypeOf<Of<Order, 'OrderShipped'>['payload']>().toEqualTypeOf<{
      carrier: string;
      at: string;
      parcels: number;
    }>();
  });

  it('stay one for all where the topic says so, any type of event', () => {
    expectTypeOf<Extract<EventOf<Payloads>, { topic: 'Audit' }>['payload']>().toEqualTypeOf<{ who: string }>();
    expectTypeOf<Extract<EventOf<Payloads>, { topic: 'Audit' }>['type']>().toEqualTypeOf<string>();
    expectTypeOf<Payloads['Load']>().toEqualTypeOf<readonly number[]>();
    type Read = BatchOf<typeof topics>['events'][number];
    expectTypeOf<Read>().toEqualTypeOf<EventOf<Payloads>>();
  });

  it('may be any or unknown, and are just that', () => {
    const loose = defineTopics({
      A: { payload: payloadOf<ReturnType<typeof JSON.parse>>() },
      B: {},
      C: { types: ['x'] },
      D: { types: { Made: payloadOf<ReturnType<typeof JSON.parse>>() } },
    });
    type Read<Topic> = Extract<EventOf<typeof loose.payloads>, { topic: Topic }>;
    expectTypeOf<Read<'A'>['payload']>().toBeAny();
    expectTypeOf<Read<'B' | 'C'>['payload']>().toBeUnknown();
    expectTypeOf<Read<'A' | 'B' | 'C'>['type']>().toEqualTypeOf<string>();
    expectTypeOf<Read<'D'>['payload']>().toBeAny();
    expectTypeOf<Read<'D'>['type']>().toEqualTypeOf<'Made'>();
  });
});
