import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Event, type EventBatch, streamEvents, streamEventsWith } from '../../src/client/index.ts';
import { faults, FaultyProxy } from './faulty-proxy.ts';
import { BrokerServer } from './broker-server.ts';
import { seeded } from './random.ts';
import { type ChaosServer, payloadOf, type Published, StreamServer } from './stream-server.ts';
import { VirtualClock } from './virtual-clock.ts';

const readers = 16;
const connectionsEach = process.env.NIGHTLY ? 1000 : 32;
const restartsEach = 6;
/** Readers go on until they have read so much, however often they were cut off before they read anything. */
const batchesEach = 100;
/** How many batches the server remembers; readers are kept within it, but for bursts. */
const maxHeld = 256;

/**
 * The time of the readers: at most a millisecond passes in a turn of the event loop. On the machine's own a busy one
 * takes all their patience while they connect: they would connect anew for ever, and keep the machine busy with that.
 */
class TimeOfTurns extends VirtualClock {
  #last = performance.now();

  turn(): Promise<void> {
    const elapsedMs = performance.now() - this.#last;
    this.#last += elapsedMs;
    return this.advance(Math.min(elapsedMs, 1));
  }
}

interface Reader {
  readonly proxy: FaultyProxy;
  readonly stream: ReturnType<typeof streamEvents>;
  readonly handedOver: EventBatch[];
  readonly done: Promise<void>;
}

interface Chaos {
  readonly server: ChaosServer;
  readonly time: TimeOfTurns;
  readonly all: readonly Reader[];
  /** The test was given up: nobody is to publish on a server that is closed. */
  isOver: boolean;
}

const numberOf = ({ events }: EventBatch): number => (events[0] as Event<'T', { readonly n: number }>).payload.n;

async function startReader(server: ChaosServer, clock: VirtualClock, seed: number): Promise<Reader> {
  const proxy = await FaultyProxy.open(() => server.port, seeded(seed));
  const options = {
    topics: ['T'],
    index: 1,
    epoch: server.epoch,
    minDelayMs: 1,
    maxDelayMs: 4,
    heartbeatMs: 40,
    random: seeded(~seed),
    clock,
  };
  // Half of them have no part of the client that can be left out.
  const open = seed % 2 ? streamEvents : streamEventsWith({});
  const stream = open(`http://127.0.0.1:${proxy.port}/v1/event/stream`, options);
  const handedOver: EventBatch[] = [];
  const read = async (): Promise<void> => {
    for await (const batch of stream) handedOver.push(batch);
  };
  return { proxy, stream, handedOver, done: read() };
}

/**
 * Publishes as fast as the slowest reader follows, with bursts that nobody follows, until each reader was cut off often
 * enough, and has read enough.
 */
async function publishThroughout(chaos: Chaos, random: () => number): Promise<void> {
  const { server, time, all } = chaos;
  const isWorn = ({ proxy, handedOver }: Reader): boolean =>
    proxy.connections >= connectionsEach && handedOver.length >= batchesEach;
  let restarts = 0;
  while (!chaos.isOver && !all.every(isWorn)) {
    const slowest = Math.min(...all.map(({ handedOver }) => numberAfter(handedOver)));
    const connections = Math.min(...all.map(({ proxy }) => proxy.connections));
    if (random() < 0.002) for (let i = 0; i < 2 * maxHeld; i++) server.publish(1);
    else if (server.published.length - slowest < maxHeld / 2) server.publish(random() < 0.9 ? 1 : 3);
    if (random() < 0.02) server.beat();
    if (connections > ((restarts + 1) * connectionsEach) / (restartsEach + 1) && restarts < restartsEach) {
      server.restart();
      restarts++;
    }
    await time.turn();
  }
}

function numberAfter(handedOver: readonly EventBatch[]): number {
  const last = handedOver.at(-1);
  return last ? numberOf(last) + 1 : 0;
}

/** Lets everybody read to the end. */
async function finish(chaos: Chaos): Promise<void> {
  const { server, time, all } = chaos;
  for (const { proxy } of all) proxy.calm();
  server.publish(1);
  const isBehind = ({ handedOver }: Reader): boolean => numberAfter(handedOver) < server.published.length;
  while (!chaos.isOver && all.some(isBehind)) await time.turn();
  for (const { stream } of all) stream.close();
  await Promise.all(all.map(({ done }) => done));
}

/** Batches missing before this one of which nothing was said. */
function untold({ gap }: EventBatch, missing: readonly Published[]): readonly Published[] {
  if (gap === undefined) return missing;
  return gap.reason === 'restarted' ? [] : missing.filter(({ index }) => index < gap.from || index > gap.to);
}

function isAsPublished({ index, events: [event] }: EventBatch, published: Published | undefined): boolean {
  if (index !== published?.index || event?.key !== published.epoch) return false;
  return JSON.stringify(event.payload) === JSON.stringify(payloadOf(published.n));
}

/** Everything that a reader got wrong. */
function mistakes(published: readonly Published[], handedOver: readonly EventBatch[]): unknown[] {
  let after = 0;
  return handedOver.flatMap((batch) => {
    const n = numberOf(batch);
    const missing = untold(batch, published.slice(after, n));
    const isRepeated = n < after;
    after = n + 1;
    if (missing.length === 0 && !isRepeated && isAsPublished(batch, published[n])) return [];
    return [{ batch, isRepeated, missing: missing.length, firstMissing: missing[0] }];
  });
}

const servers = { 'a server in a few lines': StreamServer, 'the broker': BrokerServer };

describe.each(Object.entries(servers))(
  'through a network that cuts, resets, stalls, garbles, refuses and delays: %s',
  (_, { open }) => {
    let chaos: Chaos;
    const seed = Number(process.env.SEED ?? Date.now() % 1e9);

    beforeAll(async () => {
      const server = await open(maxHeld);
      const time = new TimeOfTurns(Date.now());
      const all = await Promise.all(Array.from({ length: readers }, (_, i) => startReader(server, time, seed + i)));
      chaos = { server, time, all, isOver: false };
      await publishThroughout(chaos, seeded(seed));
      await finish(chaos);
    });

    afterAll(async () => {
      chaos.isOver = true;
      for (const { stream } of chaos.all) stream.close();
      await Promise.all(chaos.all.map(({ proxy }) => proxy.close()));
      await chaos.server.close();
    });

    it('readers connect hundreds of times, and suffer every fault', () => {
      const counts = faults
        .filter((fault) => fault !== 'none')
        .map((fault) => chaos.all.reduce((sum, { proxy }) => sum + proxy.counts[fault], 0));
      expect(counts.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(readers * connectionsEach);
      expect(Math.min(...counts)).toBeGreaterThan(0);
    });

    it(`every batch is handed over once, in order, with its own content, or a gap says that it is missing (SEED=${seed})`, () => {
      const { published } = chaos.server;
      for (const { handedOver } of chaos.all) {
        expect(mistakes(published, handedOver).slice(0, 5)).toEqual([]);
        expect(numberAfter(handedOver)).toBe(published.length);
      }
    });

    it('most is handed over: gaps are told for bursts and restarts, not for cuts', () => {
      const { all } = chaos;
      const gaps = all.flatMap(({ handedOver }) => handedOver.filter(({ gap }) => gap));
      const handedOver = all.reduce((sum, reader) => sum + reader.handedOver.length, 0);
      expect(gaps.some(({ gap }) => gap?.reason === 'restarted')).toBe(true);
      expect(gaps.length).toBeLessThan(handedOver / 4);
    });
  },
);
