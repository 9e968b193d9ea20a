// What is done to a contender. Each load runs in the server process and returns plain figures.
import { eventMaker, keyOf } from './events.mjs';
import { quantile } from './statistics.mjs';

const immediate = () => new Promise((resolve) => setImmediate(resolve));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Publishes as fast as the slowest client allows: at most `window` events that not every client has.
 * Stops the clock when the last client has the last event, so what a server queues counts for nothing.
 */
export async function pump(context, params) {
  const { seconds, warmSeconds, clients, isSelective = false } = params;
  const pumping = new Pumping(context, params);
  await pumping.warm(warmSeconds);
  const figures = await context.meter.measure(() => pumping.run(seconds));
  return { ...figures, deliveries: figures.events * (isSelective ? 1 : clients) };
}

class Pumping {
  #contender;
  #credit;
  #params;
  #make;
  #burst;
  #sent;

  constructor({ contender, credit }, params) {
    this.#contender = contender;
    this.#credit = credit;
    this.#params = params;
    this.#make = eventMaker(params.bytes);
    this.#burst = params.burst;
    this.#sent = this.#received;
  }

  /**
   * Long bursts first: code that runs once a millisecond takes seconds to be compiled, and no server that is busy is
   * cold.
   */
  async warm(seconds) {
    this.#burst = 64;
    await this.run(seconds / 2);
    this.#burst = this.#params.burst;
    await this.run(seconds / 2);
  }

  async run(seconds) {
    const from = this.#sent;
    const end = performance.now() + seconds * 1e3;
    while (performance.now() < end) {
      await this.#turn();
      if (this.#sent - this.#received > this.#params.window)
        await this.#credit.until(() => this.#sent - this.#received <= this.#params.window);
    }
    await this.#credit.until(() => this.#received >= this.#sent);
    return { events: this.#sent - from };
  }

  get #received() {
    return this.#params.isSelective ? this.#credit.total : this.#credit.slowest;
  }

  async #turn() {
    const burst = this.#burst;
    if (this.#params.isSpread) await Promise.all(Array.from({ length: burst }, () => this.#publishLater()));
    else for (let i = 0; i < burst; i++) await this.#publish();
    await immediate();
  }

  /** Each in a macrotask of its own, as request handlers publish. */
  #publishLater() {
    return new Promise((resolve) => setImmediate(() => resolve(this.#publish())));
  }

  #publish() {
    const { isSelective, clients } = this.#params;
    const key = keyOf(isSelective ? (this.#sent * 7919) % clients : 0);
    this.#sent++;
    return this.#contender.publish(this.#make(key, false));
  }
}

/** A steady rate; the clients take latencies from the stamp that each event carries. */
export async function steady({ contender, credit, meter }, { bytes, rate, seconds, warmSeconds }) {
  const make = eventMaker(bytes);
  const late = [];
  let sent = 0;
  const run = async (duration) => {
    const start = performance.now();
    const count = Math.round(duration * rate);
    for (let i = 0; i < count;) {
      const due = Math.min(count, Math.floor(((performance.now() - start) * rate) / 1e3) + 1);
      for (; i < due; i++, sent++) {
        late.push(performance.now() - start - (i * 1e3) / rate);
        await contender.publish(make(keyOf(0), true));
      }
      await pause(1);
    }
    await credit.until(() => credit.slowest >= sent);
    return { events: count };
  };
  await run(warmSeconds);
  await credit.ask('forget');
  late.length = 0;
  const figures = await meter.measure(() => run(seconds));
  return { ...figures, ...(await credit.ask('latency')), lateP99Ms: quantile(late, 0.99) };
}

/** At a steady rate, each publish by itself, to clients that do not look into what they get: until it has all come. */
export async function paced({ contender, credit, meter }, { bytes, burst, rate, seconds, warmSeconds, clients }) {
  const make = eventMaker(bytes);
  const run = async (duration) => {
    const count = Math.round(duration * rate);
    for (let i = 0; i < count; i++) {
      for (let n = 0; n < burst; n++) await contender.publish(make(keyOf(0), false));
      await pause(1e3 / rate);
    }
    return { events: count * burst };
  };
  const warm = await run(warmSeconds);
  const before = await arrived(credit, warm.events);
  const figures = await meter.measure(() => run(seconds));
  const after = await arrived(credit, warm.events + figures.events);
  return { ...figures, deliveries: figures.events * clients, sentBytes: (after.most - before.most) * clients };
}

/** @throws when not all have the same, and all of it, in time */
async function arrived(credit, events) {
  for (let left = 50; left > 0; left--) {
    const bodies = await credit.ask('bodies');
    if (bodies.events === events && bodies.least === bodies.most) return bodies;
    await pause(100);
  }
  throw new Error(`not all of ${events} events have come: ${JSON.stringify(await credit.ask('bodies'))}`);
}

/** Memory before anybody comes. */
export const memory = ({ meter }) => meter.memory();

/** Nothing but heartbeats: memory, then CPU. */
export async function idle({ meter }, { seconds }) {
  const { residentBytes, heapBytes } = await meter.memory();
  const figures = await meter.measure(() => pause(seconds * 1e3));
  return { ...figures, residentBytes, heapBytes };
}

/** Like {@link pump}, with some clients that stop reading at their first event. */
export async function stalled(context, { stalled: count, clients, ...params }) {
  const readers = { ...params, clients: clients - count };
  await pump(context, { ...readers, warmSeconds: 0.2, seconds: 0.3 });
  const before = await context.meter.memory();
  const figures = await pump(context, { ...readers, warmSeconds: 0 });
  const after = await context.meter.memory();
  const { closed } = await context.credit.ask('closed');
  return { ...figures, closed, grownBytes: after.residentBytes - before.residentBytes };
}

/** Events that are there before anybody subscribes. */
export async function publishBefore({ contender }, { bytes, events }) {
  const make = eventMaker(bytes);
  for (let i = 0; i < events; i++) await contender.publish(make(keyOf(0), false));
}

/** From now, before anybody subscribes, until every client has all of them. */
export async function replay({ credit, meter }, { events }) {
  const before = meter.spent();
  await credit.until(() => credit.slowest >= events);
  return meter.since(before);
}
