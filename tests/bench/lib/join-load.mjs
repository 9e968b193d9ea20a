// The loads of the scenarios "state" and "replay": readers join, while others are sent live events.
import { setTimeout as pause } from 'node:timers/promises';
import { eventMaker, keyOf, MARK, nowMicros, STAMP_LENGTH } from './events.mjs';

const LIVE_BYTES = 250;
const LIVE_EVERY_MS = 10;
/** How long the joining may take. */
const LIMIT_MS = 120_000;

/**
 * From now, before anybody joins, until every reader has all of it: of a state, until it was told that it is current.
 */
export async function join(context, { keys, clients, isState }) {
  const { credit, meter } = context;
  const live = new Live(context);
  const before = meter.spent();
  await live.during(credit.until(() => credit.slowest >= keys + (isState ? 1 : 0), LIMIT_MS));
  const spent = meter.since(before);
  const { bytes } = await credit.ask('received');
  const { seconds } = await credit.ask('cpu');
  return { ...spent, ...(await live.latency()), bytes, clients, clientCpuSeconds: seconds };
}

/** Live events and nothing else. */
export async function liveAlone(context, { seconds }) {
  const live = new Live(context);
  await live.during(pause(seconds * 1e3));
  return live.latency();
}

/**
 * An event every 10 ms for the readers who watch. Each carries the time at which it was due: one that the server comes
 * to late is late for them.
 */
class Live {
  #contender;
  #watch;
  #sent;
  #isOver = false;

  constructor({ contender, watch }) {
    this.#contender = contender;
    this.#watch = watch;
    this.#sent = watch.slowest;
  }

  async during(what) {
    await this.#watch.ask('forget');
    const over = what.finally(() => (this.#isOver = true));
    // Its failure is told at the end.
    over.catch(() => undefined);
    const make = eventMaker(LIVE_BYTES);
    const start = nowMicros();
    for (let i = 0; !this.#isOver;) {
      for (; start + i * LIVE_EVERY_MS * 1e3 <= nowMicros(); i++, this.#sent++) {
        const event = make(keyOf(0), false);
        event.payload.stamp = MARK + String(start + i * LIVE_EVERY_MS * 1e3).padStart(STAMP_LENGTH, '0');
        await this.#contender.publish(event);
      }
      await pause(1);
    }
    await over;
    await this.#watch.until(() => this.#watch.slowest >= this.#sent);
  }

  async latency() {
    const { p50Ms, p99Ms } = await this.#watch.ask('latency');
    return { p50Ms, p99Ms };
  }
}
