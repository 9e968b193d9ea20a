// The code of docs/types.md, run: each block of the guide stands in this file.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { type } from 'arktype';
import * as v from 'valibot';
import { afterEach, describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { Acl, BrokerError, defineTopics, EventBroker, payloadOf, type EventOf } from 'fenceline';
import { streamEvents } from 'fenceline/client';
import { eventStreamHandler } from 'fenceline/http';
import { entriesWithNodeTypes, typescriptVersions } from '../tooling/entries.mjs';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const guide = read('docs/types.md');
const blocks = [...guide.matchAll(/^```ts\n([^]*?)^```/gm)].map(([, code = '']) => code);
/** The formatter breaks lines elsewhere where code stands deeper. */
const plain = (code: string): string => code.replaceAll(/\s/g, '').replaceAll(/,(?=[)\]}]|$)/g, '');

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function byType() {
  interface Placed {
    id: string;
    total: number;
  }
  interface Shipped {
    carrier: string;
  }

  const topics = defineTopics({
    Order: {
      types: { OrderPlaced: payloadOf<Placed>(), OrderShipped: payloadOf<Shipped>() },
      requires: 'anyone',
      visible: (claims: { carrier: string }, event) =>
        event.type === 'OrderShipped' && event.payload.carrier === claims.carrier,
    },
  });
  const broker = new EventBroker({ topics });
  cleanups.push(() => broker.close());
  return { topics, broker };
}

const placed = { topic: 'Order', type: 'OrderPlaced', key: 'o-1', payload: { id: 'o-1', total: 90 } } as const;
const shipped = { topic: 'Order', type: 'OrderShipped', key: 'o-1', payload: { carrier: 'Gull' } } as const;

describe('the guide about types', () => {
  it('has no code that is not in this file', () => {
    const here = plain(read('tests/readme/types-guide.test.ts'));
    expect(blocks.length).toBeGreaterThan(5);
    for (const block of blocks) expect(here).toContain(plain(block));
  });

  it('is right about a payload for a topic', async () => {
    interface Order {
      id: string;
      total: number;
    }

    const topics = defineTopics({
      Order: { payload: payloadOf<Order>(), requires: 'anyone' },
      Note: { requires: 'anyone' }, // its payload is unknown
    });
    const broker = new EventBroker({ topics });

    await broker.publish({ topic: 'Order', type: 'OrderPlaced', key: 'o-1', payload: { id: 'o-1', total: 90 } });
    expect(broker.stats().latestIndex).toBe(1);
  });

  it('is right about a payload for each event type', async () => {
    const { broker } = byType();
    const told: string[] = [];
    const reading = (async () => {
      for await (const { events } of await broker.subscribe({ topics: ['Order'] })) {
        for (const event of events) {
          switch (event.type) {
            case 'OrderPlaced':
              told.push(`${event.payload.id} for ${event.payload.total}`);
              break;
            case 'OrderShipped':
              told.push(`by ${event.payload.carrier}`);
              break;
          }
        }
      }
    })();
    await broker.publish([placed, shipped]);
    const acl = Acl.fromRules([], { claims: { carrier: 'Gull' } });
    const seen = (await broker.subscribe({ topics: ['Order'], acl })).poll();
    expect(seen?.events.map((event) => event.type)).toEqual(['OrderShipped']);
    await broker.close();
    await reading;
    expect(told).toEqual(['o-1 for 90', 'by Gull']);
  });

  it('is right about the client', async () => {
    const { topics, broker } = byType();
    const server = http.createServer(eventStreamHandler({ broker })).listen(0);
    cleanups.push(() => server.close());
    const url = `http://localhost:${(server.address() as AddressInfo).port}/v1/event/stream`;
    const stop = new AbortController();
    const { signal } = stop;
    const found: string[] = [];
    const carriers = { add: (carrier: string) => (found.push(carrier), stop.abort()) };
    await broker.publish([placed, shipped]);
    for await (const { events } of streamEvents<typeof topics>(url, { topics: ['Order'], signal })) {
      for (const event of events) if (event.type === 'OrderShipped') carriers.add(event.payload.carrier);
    }
    expect(found).toEqual(['Gull']);
  });

  it('is right about the names of the types', () => {
    const { topics } = byType();
    type OrderEvent = EventOf<typeof topics.payloads>;
    type OrderShipped = Extract<OrderEvent, { type: 'OrderShipped' }>;
    const carrierOf = ({ payload }: OrderShipped): string => payload.carrier;
    expectTypeOf<OrderEvent['type']>().toEqualTypeOf<'OrderPlaced' | 'OrderShipped'>();
    expect(carrierOf({ ...shipped, index: 1, namespace: '', filterKeys: [] })).toBe('Gull');
  });

  it('is right about schemas', async () => {
    const topics = defineTopics({
      Order: {
        types: {
          OrderPlaced: z.object({ id: z.string(), total: z.number().min(0), gift: z.boolean().default(false) }),
          OrderShipped: v.object({ carrier: v.pipe(v.string(), v.trim()) }),
          OrderClosed: type({ why: "'done' | 'lost'" }),
        },
        requires: 'anyone',
      },
    });
    const broker = new EventBroker({ topics });
    const index = await broker.publish({
      topic: 'Order',
      type: 'OrderPlaced',
      key: 'o-1',
      payload: { id: 'o-1', total: 90 },
    });
    const faults: string[] = [];
    try {
      await broker.publish({ topic: 'Order', type: 'OrderPlaced', key: 'o-1', payload: { id: 'o-1', total: -1 } });
    } catch (error) {
      if (!BrokerError.is(error)) throw error;
      for (const { event, path, message } of error.issues ?? []) faults.push(`${event} ${path.join('.')}: ${message}`);
    }
    expect(faults).toEqual([expect.stringMatching(/^0 total: .*0/)]);
    const subscription = await broker.subscribe();
    expect(subscription.poll()).toMatchObject({ index, events: [{ payload: { id: 'o-1', total: 90, gift: false } }] });
    expect(subscription.poll()).toBeUndefined();
  });

  it('names the entries that need Node’s types, and the versions that are tested', () => {
    const [, stated = ''] = /^\| `@types\/node` +\| for (.*);/m.exec(guide) ?? [];
    const names = [...stated.matchAll(/`(?:fenceline\/)?(\w+)`/g)].map(([, name]) => `./${name}`);
    expect(names).toEqual(entriesWithNodeTypes);
    const [oldest = '', newest = ''] = [typescriptVersions[0], typescriptVersions.at(-1)].map((version) =>
      version?.replace(/\.\d+$/, ''),
    );
    expect(guide).toContain(`${oldest} or newer; ${oldest} to ${newest} are tested`);
  });
});
