// The fragments of docs/state.md, run.
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { eventStreamHandler } from '../../src/adapters/http.ts';
import { streamEvents, type Snapshot } from '../../src/client/index.ts';
import {
  Acl,
  defineTopics,
  EventBroker,
  payloadOf,
  type EventBatch,
  type EventBrokerOptions,
} from '../../src/index.ts';
import { MemoryEventLog } from '../../src/testing/index.ts';
import { read } from './documents.ts';

interface Order {
  readonly step: string;
}

const guide = read('docs/state.md');

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function declare() {
  const topics = defineTopics({
    Order: {
      payload: payloadOf<Order>(),
      requires: { namespace: 'read-orders' },
      retain: 'latest',
      removedBy: ['OrderDelivered'],
    },
  });
  const broker = new EventBroker({ topics });
  cleanups.push(() => broker.close());
  return { topics, broker };
}

function makeBroker(options: Pick<EventBrokerOptions, 'buffer' | 'log'> = {}) {
  const { topics } = declare();
  const broker = new EventBroker({ topics, ...options });
  cleanups.push(() => broker.close());
  return { topics, broker };
}

type Broker = ReturnType<typeof makeBroker>['broker'];

/** `o-1 placed` */
async function publish(broker: Broker, ...changes: readonly string[]): Promise<void> {
  for (const change of changes) {
    const [key = '', step = ''] = change.split(' ');
    const type = `Order${step.slice(0, 1).toUpperCase()}${step.slice(1)}`;
    await broker.publish({ topic: 'Order', type, key, namespace: 'default', payload: { step } });
  }
}

async function serve(broker: Broker, more?: (response: http.ServerResponse) => void): Promise<string> {
  const stream = eventStreamHandler({ broker });
  const server = http.createServer((request, response) => {
    if (request.url === '/snapshot') more?.(response);
    else void stream(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(
    () => server.close(),
    () => server.closeAllConnections(),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(setImmediate);
}

/** What a subscription hands over without waiting. */
function drain(subscription: { poll(): EventBatch | undefined }): readonly EventBatch[] {
  const batches: EventBatch[] = [];
  for (let batch = subscription.poll(); batch; batch = subscription.poll()) batches.push(batch);
  return batches;
}
const shortly = ({ events, removed = [], current, gap }: EventBatch): string =>
  [
    ...(gap ? [`gap ${gap.reason}`] : []),
    ...events.map(({ key, payload }) => `${key} ${(payload as Order).step}`),
    ...removed.map(({ key }) => `-${key}`),
    ...(current ? ['current'] : []),
  ].join(', ');

describe('the guide about state', () => {
  it('mirrors the state in process', async () => {
    const { broker } = makeBroker();
    const orders = new Map<string, Order>();
    let isComplete = false;
    await publish(broker, 'o-1 placed', 'o-2 placed', 'o-1 packed');
    const reading = (async () => {
      for await (const { events, removed = [], current, gap } of await broker.subscribe({
        topics: ['Order'],
        state: true,
      })) {
        if (gap && ['state', 'restarted', 'ahead'].includes(gap.reason)) orders.clear();
        for (const { key, payload } of events) orders.set(key, payload);
        for (const { key } of removed) orders.delete(key);
        if (current) isComplete = true;
      }
    })();
    await until(() => isComplete);
    expect(Object.fromEntries(orders)).toEqual({ 'o-1': { step: 'packed' }, 'o-2': { step: 'placed' } });
    await publish(broker, 'o-1 delivered', 'o-2 packed');
    await broker.close();
    await reading;
    expect(Object.fromEntries(orders)).toEqual({ 'o-2': { step: 'packed' } });
  });

  it('takes a function for what ends an object', async () => {
    const topics = defineTopics({
      Order: {
        payload: payloadOf<Order>(),
        retain: 'latest',
        removedBy: ({ payload }) => payload.step === 'delivered',
      },
    });
    await using broker = new EventBroker({ topics });
    await publish(broker as unknown as Broker, 'o-1 placed', 'o-2 placed', 'o-1 delivered');
    expect(broker.state().events.map(({ key }) => key)).toEqual(['o-2']);
  });

  it('mirrors the state in another service', async () => {
    const { broker, topics } = makeBroker();
    const orders = new Map<string, Order>();
    const url = await serve(broker);
    await publish(broker, 'o-1 placed', 'o-2 placed', 'o-1 delivered', 'o-3 placed');
    const stream = streamEvents<typeof topics>(url, { topics: ['Order'], state: true });
    const reading = (async () => {
      for await (const { events, removed = [], gap } of stream) {
        if (gap && ['state', 'restarted', 'ahead'].includes(gap.reason)) orders.clear();
        for (const { key, payload } of events) orders.set(key, payload);
        for (const { key } of removed) orders.delete(key);
      }
    })();
    await until(() => orders.has('o-3'));
    stream.close();
    await reading;
    expect([...orders.keys()]).toEqual(['o-2', 'o-3']);
  });

  it('renders a page, and goes on where it was rendered', async () => {
    const { broker, topics } = makeBroker();
    const url = await serve(broker);
    await publish(broker, 'o-1 placed', 'o-2 placed');
    const { index, epoch, events } = broker.state({ topics: ['Order'], acl: Acl.management });
    const page = { orders: events.map(({ key, payload }) => ({ key, ...payload })), from: { index: index + 1, epoch } };
    expect(page.orders).toEqual([
      { key: 'o-1', step: 'placed' },
      { key: 'o-2', step: 'placed' },
    ]);
    await publish(broker, 'o-1 delivered', 'o-2 packed');
    const stream = streamEvents<typeof topics>(url, { topics: ['Order'], state: true, ...page.from });
    const told: string[] = [];
    for await (const batch of stream) {
      told.push(shortly(batch));
      if (batch.current) break;
    }
    expect(told).toEqual(['o-1 delivered, -o-1', 'o-2 packed', 'current']);
  });

  it('follows a state in a database of the host’s own', async () => {
    interface Row extends Order {
      readonly key: string;
    }
    const { broker, topics } = makeBroker();
    await publish(broker, 'o-1 placed');
    const db = { openOrders: async (): Promise<Row[]> => [{ key: 'o-1', step: 'placed' }] };
    async function openOrders() {
      const { index, epoch } = broker.position; // first, so that what changes while we read comes in the stream
      return { value: await db.openOrders(), index, epoch };
    }
    const url = await serve(broker, (response) => {
      void openOrders().then((answer) => response.end(JSON.stringify(answer)));
    });
    const snapshotUrl = `${url}snapshot`;
    let orders = new Map<string, Row>();
    const stream = streamEvents<typeof topics, Row[]>(url, {
      topics: ['Order'],
      snapshot: async () => (await fetch(snapshotUrl)).json() as Promise<Snapshot<Row[]>>,
    });
    const reading = (async () => {
      for await (const { snapshot, events } of stream) {
        if (snapshot) orders = new Map(snapshot.map((row) => [row.key, row]));
        for (const { key, payload } of events) orders.set(key, { key, ...payload });
      }
    })();
    await until(() => orders.has('o-1'));
    await publish(broker, 'o-2 placed');
    await until(() => orders.has('o-2'));
    stream.close();
    await reading;
    expect([...orders.keys()]).toEqual(['o-1', 'o-2']);
  });

  it('goes on after a restart of the reader with what changed', async () => {
    const { broker } = makeBroker();
    await publish(broker, 'o-1 placed', 'o-2 placed');
    const subscription = await broker.subscribe({ topics: ['Order'], state: true });
    drain(subscription);
    const { position, epoch, mark } = subscription;
    const place = { index: position + 1, epoch, ...(mark !== undefined && { mark }) };
    subscription.close();
    await publish(broker, 'o-1 delivered', 'o-3 placed', 'o-3 packed');
    const next = await broker.subscribe({ topics: ['Order'], state: true, ...place });
    expect(drain(next).map(shortly)).toEqual(['o-1 delivered, -o-1', 'o-3 packed', 'current']);
  });
});

describe('what the guide promises', () => {
  it('a slow reader gets the newest of each object and no gap, far beyond the buffer', async () => {
    const { broker } = makeBroker({ buffer: { maxBatches: 4 } });
    const slow = await broker.subscribe({ topics: ['Order'], state: true });
    drain(slow);
    for (let i = 0; i < 500; i++) await publish(broker, `o-${i % 3} step${i}`);
    expect(drain(slow).map(shortly)).toEqual(['o-2 step497', 'o-0 step498', 'o-1 step499']);
    expect(broker.stats().skippedEvents).toBe(497);
  });

  it('the bounds have the defaults of the table, and past them readers are told', async () => {
    const defaults = Object.fromEntries(
      [...guide.matchAll(/^\| `(max\w+)`\s*\|\s*([\d,]+(?: MiB)?)/gm)].map(([, name, value]) => [name, value]),
    );
    expect(defaults).toEqual({ maxRetainedKeys: '100,000', maxRetainedBytes: '128 MiB', maxRemovals: '65,536' });

    const { broker } = makeBroker({ buffer: { maxRetainedKeys: 2, maxBatches: 1 } });
    await publish(broker, 'o-1 placed', 'o-2 placed', 'o-3 placed');
    const [first] = drain(await broker.subscribe({ topics: ['Order'], state: true }));
    expect(shortly(first as EventBatch)).toBe('gap trimmed, o-2 placed');
    expect(broker.state().gap?.reason).toBe('trimmed');

    const { broker: other } = makeBroker({ buffer: { maxRemovals: 1, maxBatches: 1 } });
    await publish(other, 'o-1 placed', 'o-2 placed', 'o-3 placed', 'o-4 placed');
    const { index, epoch } = other.position;
    await publish(other, 'o-1 delivered', 'o-2 delivered', 'o-3 placed');
    const [anew] = drain(await other.subscribe({ topics: ['Order'], state: true, index, epoch }));
    expect(shortly(anew as EventBatch)).toMatch(/^gap state/);
  });

  it('logs pin records as it says', async () => {
    const log = new MemoryEventLog({ retention: { maxRecords: 2 } });
    const { broker } = makeBroker({ log });
    await publish(broker, 'o-1 placed', 'o-2 placed', 'o-1 packed', 'o-1 sent', 'o-1 held');
    await broker.close();
    const { broker: next } = makeBroker({ log });
    await next.ready();
    expect(next.state().events.map(({ key }) => key)).toEqual(['o-2', 'o-1']);
    expect(next.state().gap).toBeUndefined();
    expect(log.capabilities.pins).toBe(true);
  });

  it('a log that pins none holds what it still has, and readers are told the gap first', async () => {
    const log = new MemoryEventLog({ retention: { maxRecords: 2 } });
    const capabilities = { ...log.capabilities, pins: false };
    const unpinned = new Proxy(log, {
      get: (target, name) => {
        if (name === 'capabilities') return capabilities;
        const member: unknown = Reflect.get(target, name);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
    const { broker } = makeBroker({ log: unpinned });
    await publish(broker, 'o-1 placed', 'o-2 placed', 'o-1 packed', 'o-1 sent', 'o-1 held');
    await broker.close();
    const { broker: next } = makeBroker({ log: unpinned });
    await next.ready();
    expect(next.state().events.map(({ key }) => key)).toEqual(['o-1']);
    const reader = await next.subscribe({ topics: ['Order'], state: true });
    expect(shortly(drain(reader)[0] as EventBatch)).toBe('gap trimmed, o-1 held');
  });

  it('a place without a mark is read anew where the state rests on rights', async () => {
    const { broker } = makeBroker();
    await publish(broker, 'o-1 placed', 'o-2 placed');
    const acl = Acl.fromRules([{ namespace: { default: { capabilities: ['read-orders'] } } }], { accessorId: 'alice' });
    const { index, epoch } = broker.state({ topics: ['Order'], acl });
    await publish(broker, 'o-2 packed');
    const from = { index: index + 1, epoch };
    const open = await broker.subscribe({ topics: ['Order'], state: true, acl, scope: 'allowed', ...from });
    expect(drain(open).map(shortly)).toEqual(['gap state, o-1 placed', 'o-2 packed', 'current']);
  });
});
