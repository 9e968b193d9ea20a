// One payload is copied again and again. The broker's own copy is no public function: it is taken from the build.
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { cpuSeconds } from './cpu.mjs';

const entry = fileURLToPath(import.meta.resolve('fenceline'));
const { snapshot } = await import(join(entry, '../core/batch/payload-copy.js'));

const ways = {
  snapshot: (payload) => snapshot(payload, 'event').payload,
  frozen: (payload) => snapshot(payload, 'event').payload,
  structuredClone: (payload) => structuredClone(payload),
  json: (payload) => JSON.parse(JSON.stringify(payload)),
};
const HELD = 1000;

/** @returns microseconds of one copy, and the heap that it takes */
export function measure({ way, bytes, seconds }) {
  const copy = ways[way];
  const payload = way === 'frozen' ? frozen(orders(bytes)) : orders(bytes);
  let last;
  const run = (duration) => {
    const end = performance.now() + duration * 1e3;
    let count = 0;
    for (; performance.now() < end; count += 16) for (let i = 0; i < 16; i++) last = copy(payload);
    return count;
  };
  run(0.2);
  const before = cpuSeconds();
  const count = run(seconds);
  const microseconds = ((cpuSeconds() - before) / count) * 1e6;
  return { microseconds, bytesHeld: heldBy(() => copy(payload)), last: typeof last };
}

function heldBy(make) {
  const held = Array.from({ length: HELD });
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < HELD; i++) held[i] = make();
  globalThis.gc?.();
  return held.length === HELD ? (process.memoryUsage().heapUsed - before) / HELD : NaN;
}

/** So many orders that their JSON has about `bytes`. */
function orders(bytes) {
  const made = { tenant: 'acme', orders: [] };
  for (let id = 1; JSON.stringify(made).length < bytes - 60; id++)
    made.orders.push({
      id,
      state: 'placed',
      total: id * 9.5,
      lines: [
        { sku: `sku-${id}`, count: 2 },
        { sku: 'fee', count: 1 },
      ],
    });
  return made;
}

function frozen(value) {
  if (typeof value !== 'object' || value === null) return value;
  Object.values(value).forEach(frozen);
  return Object.freeze(value);
}
