// Run by true-bytes.test.ts in a process of its own: fills a broker's buffer with one kind of payload, lets it be read
// in one way, and prints what the buffer says that it takes and what the heap has grown by.
import { EventBroker } from 'fenceline';
import { ndjsonFormat } from 'fenceline/ndjson';

declare const gc: () => void;

const counts: Readonly<Record<string, number>> = { null: 8000, number: 8000, fractions: 4000, order: 4000 };
const texts = { ascii: 'x', nul: '\u0000', wide: '語' } as const;

const payloads: Readonly<Record<string, (i: number) => unknown>> = {
  null: () => null,
  number: (i) => ({ value: i }),
  fractions: (i) => ({ a: i + 0.5, b: i + 0.25, c: [i + 0.1, i + 0.2, i + 0.3] }),
  order: (i) => ({
    Order: { id: `o${i}`, total: i * 1.5, lines: [{ sku: `s${i}`, count: 2 }], open: true, note: null },
  }),
  emptyObjects: () => Array.from({ length: 100 }, () => ({})),
  emptyArrays: () => Array.from({ length: 100 }, () => []),
  nested: () => Array.from({ length: 50 }).reduce<unknown>((inner) => ({ inner }), null),
  ascii: (i) => texts.ascii.repeat(2000) + i,
  nul: (i) => texts.nul.repeat(2000) + i,
  wide: (i) => texts.wide.repeat(2000) + i,
  ownNames: (i) => Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`name-${i}-${n}`, n])),
  manyNames: (i) => Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`name${n}`, i])),
  flags: () => Array.from({ length: 200 }, (_, n) => n % 2 === 0),
};

type Reading = 'unread' | 'written' | 'polled' | 'both' | 'polledFirst' | 'parts';

async function measure(kind: string, reading: Reading): Promise<number> {
  const broker = new EventBroker({ buffer: { maxBatches: 10_000, maxBytes: 2 ** 40 } });
  const count = counts[kind] ?? 1500;
  const payloadOf = payloads[kind] as (i: number) => unknown;
  const before = await settled();
  const published: Promise<number>[] = [];
  for (let i = 0; i < count; i++) {
    const event = { topic: 'Job', type: 'Made', key: `key-${i}`, payload: payloadOf(i) };
    const second = { ...event, key: `other-${i}`, payload: payloadOf(-1 - i) };
    published.push(broker.publish(reading === 'parts' ? [event, second, event] : event));
  }
  await Promise.all(published);
  published.length = 0;
  if (reading === 'written' || reading === 'both') await write(broker, count);
  if (['polled', 'both', 'polledFirst'].includes(reading)) await poll(broker, []);
  if (reading === 'polledFirst') await write(broker, count);
  // Filters that each match another part of each batch.
  if (reading === 'parts') for (const key of ['key-', 'other-']) await poll(broker, keysFrom(key));
  const grown = (await settled()) - before;
  const said = broker.stats().bufferedBytes;
  await broker.close();
  return said / grown;
}

const keysFrom = (key: string) => Array.from({ length: 1000 }, (_, i) => `Job:${key}${i}`);

async function write(broker: EventBroker, count: number): Promise<void> {
  const subscription = await broker.subscribe();
  subscription.deliverTo({ write: () => true, end: () => undefined }, ndjsonFormat, { heartbeatMs: 0 });
  while (subscription.position < count) await new Promise(setImmediate);
  subscription.close();
}

async function poll(broker: EventBroker, topics: string[]): Promise<void> {
  const subscription = await broker.subscribe({ topics });
  while (subscription.poll() !== undefined);
  subscription.close();
}

/** What is left when all that is garbage has gone; some of it only after promises and timers of its own. */
async function settled(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await new Promise(setImmediate);
    gc();
  }
  return process.memoryUsage().heapUsed + process.memoryUsage().external;
}

await measure('order', 'both');
const ratios: Record<string, number> = {};
for (const kind of Object.keys(payloads))
  for (const reading of ['unread', 'written', 'polled', 'polledFirst'] as const)
    ratios[`${kind} ${reading}`] = await measure(kind, reading);
for (const reading of ['both', 'parts'] as const) ratios[`order ${reading}`] = await measure('order', reading);
console.log(JSON.stringify(ratios));
