// What the newest events of many keys take: the heap, garbage collected, before and after.
import { defineTopics, EventBroker } from 'fenceline';
import { ndjsonFormat } from 'fenceline/ndjson';
import { eventMaker, keyOf, wireBatch } from '../lib/events.mjs';
import { immediate } from './cpu.mjs';

/**
 * @param by `'map'` is what a host writes by hand, a Map of the lines by key; the library is measured before any reader
 * came (`'published'`) and after one read all of it as ndjson (`'read'`)
 * @returns bytes per key: the payload's JSON, the heap beyond it, and what the library itself says
 */
export async function measure({ by, keys, bytes }) {
  const make = eventMaker(bytes);
  const payloadBytes = JSON.stringify(make(keyOf(0), false).payload).length;
  const before = await heapBytes();
  const held = by === 'map' ? mapOf(make, keys) : await brokerOf(make, keys);
  if (by === 'read') await readAll(held);
  const heapPerKey = ((await heapBytes()) - before) / keys;
  const retained = by === 'map' ? NaN : held.stats().retainedBytes / keys;
  if (by !== 'map' && held.stats().retainedKeys !== keys) throw new Error('not all keys are retained');
  return { payloadBytes, beyondPayload: heapPerKey - payloadBytes, heapPerKey, saysPerKey: retained };
}

function mapOf(make, keys) {
  const map = new Map();
  for (let i = 0; i < keys; i++) {
    const line = `${JSON.stringify(wireBatch(make(keyOf(i), false), i + 1))}\n`;
    // Flat, as one that was written is.
    line.charCodeAt(0);
    map.set(keyOf(i), line);
  }
  return map;
}

/** The buffer holds next to nothing: what is retained is measured alone. */
async function brokerOf(make, keys) {
  const topics = defineTopics({ Job: { retain: 'latest' } });
  const broker = new EventBroker({ topics, buffer: { maxBatches: 1, maxRetainedKeys: keys } });
  // Parsed, so that no two payloads share a string or an object.
  for (let i = 0; i < keys; i++) await broker.publish(JSON.parse(JSON.stringify(make(keyOf(i), false))));
  return broker;
}

async function readAll(broker) {
  const subscription = await broker.subscribe({ topics: ['Job'], state: true });
  await new Promise((resolve) => {
    const current = (index) => {
      resolve();
      return ndjsonFormat.current(index);
    };
    const sink = { write: () => true, end: () => undefined };
    subscription.deliverTo(sink, { ...ndjsonFormat, current }, { heartbeatMs: 0 });
  });
  subscription.close();
}

async function heapBytes() {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await immediate();
  }
  return process.memoryUsage().heapUsed;
}
