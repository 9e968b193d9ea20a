// A subscriber far behind catches up from LMDB while live subscribers go on.
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { EventBroker } from 'fenceline';
import { ndjsonFormat } from 'fenceline/ndjson';
import { eventMaker, keyOf } from '../lib/events.mjs';
import { quantile } from '../lib/statistics.mjs';
import { openers } from './log-store.mjs';

const IN_FLIGHT = 1000;
const PUBLISH_EVERY_MS = 5;

/** @returns the rate of catching up, the memory that it takes, and the live latency before and meanwhile */
export async function measure({ batches }) {
  const { log, close } = await openers['LMDB, durability "os"']();
  const broker = new EventBroker({ log, buffer: { maxBatches: 1024 } });
  await fill(broker, batches);
  const live = await watchLive(broker);
  const before = await live.during(pause(1000));
  globalThis.gc?.();
  const resident = ownBytes();
  const start = performance.now();
  const meanwhile = await live.during(catchUp(broker, batches));
  const seconds = (performance.now() - start) / 1e3;
  await live.stop();
  await broker.close();
  await close();
  return {
    batchesPerSecond: batches / seconds,
    grownMegabytes: (meanwhile.peakBytes - resident) / 1e6,
    p99BeforeMs: quantile(before.latencies, 0.99),
    p99MeanwhileMs: quantile(meanwhile.latencies, 0.99),
  };
}

async function fill(broker, batches) {
  const make = eventMaker(250);
  for (let i = 0; i < batches; i += IN_FLIGHT) {
    const count = Math.min(IN_FLIGHT, batches - i);
    await Promise.all(Array.from({ length: count }, () => broker.publish(make(keyOf(0), false))));
  }
}

/**
 * Memory of the process itself: pages of LMDB's file, which the system takes back when it needs them, do not count
 * where they can be told apart.
 */
function ownBytes() {
  try {
    const [, kilobytes] = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    return Number(kilobytes) * 1024;
  } catch {
    return process.memoryUsage.rss();
  }
}

/** Publishes at a steady rate, and takes the time until a subscriber in step has it. */
async function watchLive(broker) {
  const subscription = await broker.subscribe({ topics: ['Live'], index: 'latest' });
  let latencies = [];
  let peakBytes = 0;
  const read = async () => {
    for await (const { events } of subscription) latencies.push(performance.now() - events[0].payload.at);
  };
  const reading = read();
  const timer = setInterval(() => {
    peakBytes = Math.max(peakBytes, ownBytes());
    void broker.publish({ topic: 'Live', type: 'Tick', key: 'tick', payload: { at: performance.now() } });
  }, PUBLISH_EVERY_MS);
  return {
    async during(work) {
      latencies = [];
      peakBytes = 0;
      await work;
      return { latencies, peakBytes };
    },
    async stop() {
      clearInterval(timer);
      subscription.close();
      await reading;
    },
  };
}

/** As ndjson to a sink that counts lines. */
async function catchUp(broker, batches) {
  const subscription = await broker.subscribe({ topics: ['Job'], index: 1 });
  const { promise, resolve } = withResolvers();
  let left = batches;
  const write = (chunk) => {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) left--;
    if (left <= 0) resolve();
    return true;
  };
  subscription.deliverTo({ write, end: () => resolve() }, ndjsonFormat, { heartbeatMs: 0 });
  await promise;
  subscription.close();
  if (left > 0) throw new Error(`the stream ended ${left} batches early: ${subscription.error?.message}`);
}

function withResolvers() {
  let resolve;
  const promise = new Promise((settle) => (resolve = settle));
  return { promise, resolve };
}
