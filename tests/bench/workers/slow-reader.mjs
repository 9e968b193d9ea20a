// A reader of the state that takes one event in a hundred, for as long as the run lasts: how old is what it gets, and
// what does each cost?
import { setTimeout as pause } from 'node:timers/promises';
import { defineTopics, EventBroker, systemClock } from 'fenceline';
import { ndjsonFormat } from 'fenceline/ndjson';
import { eventMaker, keyOf } from '../lib/events.mjs';
import { median, quantile } from '../lib/statistics.mjs';

const WARM_SECONDS = 1;
const QUARTERS = 4;
/** The reader comes so often for what it may take. */
const EVERY_MS = 20;
const topics = defineTopics({ Job: { retain: 'latest' } });

/**
 * @param order in which the keys are published: `'round-robin'`, `'random'`
 * @param by `'poll'`, or a `'transport'` that takes no more than the reader's share
 * @param rate events a second @param share of them that the reader takes
 * @returns ages of what it got by quarter of the run, and what each event cost, as the median of the turns
 */
export async function measure({ keys, rate, share, seconds, order, by }) {
  const run = await startRun({ keys, order, by });
  // In step first: code that runs a hundred times a second takes minutes to be compiled.
  await run.take({ rate, share: 1, seconds: WARM_SECONDS });
  await run.take({ rate, share, seconds: WARM_SECONDS });
  const quarters = [];
  for (let i = 0; i < QUARTERS; i++) quarters.push(await run.take({ rate, share, seconds: seconds / QUARTERS }));
  await run.end();
  const [first, last] = [quarters[0], quarters.at(-1)];
  const ages = quarters.flatMap((quarter) => quarter.ages);
  return {
    p50Ms: quantile(ages, 0.5),
    firstP99Ms: quantile(first.ages, 0.99),
    lastP99Ms: quantile(last.ages, 0.99),
    maxMs: quantile(ages, 1),
    firstMicros: median(first.micros),
    lastMicros: median(last.micros),
    missedPerEvent: quarters.reduce((sum, { published }) => sum + published, 0) / ages.length,
  };
}

async function startRun({ keys, order, by }) {
  const turns = new Turns();
  const broker = new EventBroker({ topics, ...(by === 'transport' && { clock: turns.clock }) });
  const publish = publisherOf(broker, keys, order);
  for (let i = 0; i < keys; i++) publish();
  const subscription = await broker.subscribe({ topics: ['Job'], state: true });
  const takeUpTo = by === 'poll' ? polling(subscription, turns) : writing(subscription, turns);
  const take = async ({ rate, share, seconds }) => {
    turns.micros = [];
    const ages = [];
    let published = 0;
    const start = performance.now();
    for (let past = 0; past < seconds; past = (performance.now() - start) / 1e3) {
      for (; published < past * rate; published++) publish();
      ages.push(...takeUpTo(Math.floor(past * rate * share) - ages.length));
      await pause(EVERY_MS);
    }
    return { ages, published, micros: turns.micros };
  };
  return { take, end: () => broker.close() };
}

/** The time at which it was published stands in each event. */
function publisherOf(broker, keys, order) {
  const make = eventMaker(250);
  let next = 0;
  return () => {
    const i = order === 'random' ? Math.floor(Math.random() * keys) : next++ % keys;
    const event = make(keyOf(i), false);
    void broker.publish({ ...event, payload: { ...event.payload, at: performance.now() } });
  };
}

/** How long each turn of the reader takes, by event that it hands over. */
class Turns {
  micros = [];
  #lastMs = 0;

  time(call) {
    const start = performance.now();
    const result = call();
    this.#lastMs = performance.now() - start;
    return result;
  }

  count(events) {
    if (events > 0) this.micros.push((this.#lastMs / events) * 1e3);
  }

  /** Times what is done when a flush is due: the reader's slices. */
  get clock() {
    const timed = (call) => () => this.time(call);
    return {
      ...systemClock,
      soon: (call) => systemClock.soon(timed(call)),
      after: (delayMs, call) => systemClock.after(delayMs, timed(call)),
    };
  }
}

const polling = (subscription, turns) => (count) => {
  const batches = turns.time(() => pollUpTo(subscription, count));
  turns.count(batches.length);
  const now = performance.now();
  return batches.flatMap(({ events }) => events.map(({ payload }) => now - payload.at));
};

function pollUpTo(subscription, count) {
  const batches = [];
  while (batches.length < count) {
    const batch = subscription.poll();
    if (batch === undefined) break;
    batches.push(batch);
  }
  return batches;
}

/** Pushes back after each write, and has drained when the reader took all of it. */
function writing(subscription, turns) {
  let chunk;
  let waiting = [];
  const write = (bytes) => {
    chunk = bytes;
    return false;
  };
  const delivery = subscription.deliverTo({ write, end: () => undefined }, ndjsonFormat, { heartbeatMs: 0 });
  return (count) => {
    if (chunk !== undefined) {
      waiting = [
        ...Buffer.from(chunk)
          .toString()
          .matchAll(/"at":([\d.]+)/g),
      ];
      turns.count(waiting.length);
    }
    chunk = undefined;
    const taken = waiting.splice(0, Math.max(0, count));
    if (waiting.length === 0) delivery.drained();
    const now = performance.now();
    return taken.map(([, at]) => now - Number(at));
  };
}
