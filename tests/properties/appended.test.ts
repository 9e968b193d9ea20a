import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventBroker, type ByteSink, type Delivery, type Gap, type Subscription } from 'fenceline';
import { streamEvents } from 'fenceline/client';
import { eventStreamHandler } from 'fenceline/http';
import { ndjsonFormat } from 'fenceline/ndjson';
import { VirtualClock } from 'fenceline/testing';

interface Published {
  readonly index: number;
  readonly key: string;
  readonly payload: number;
}

const key = fc.constantFrom('a', 'b');
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('publish' as const), key, isAppended: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('open' as const),
      topics: fc.constantFrom(['Job'], ['Job:a'], ['*']),
      back: fc.nat(4),
      isWritten: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('read' as const), reader: fc.nat(4), count: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.constant({ do: 'turn' as const }) },
);

/** One reader, and what it saw in the order in which it saw it. */
class Reader implements ByteSink {
  readonly seen: Published[] = [];
  readonly gaps: Gap[] = [];
  readonly start: number;
  readonly #topics: readonly string[];
  #subscription: Subscription | undefined;
  #delivery: Delivery | undefined;
  #credit = 1;

  constructor(start: number, topics: readonly string[]) {
    this.start = start;
    this.#topics = topics;
  }

  async open(broker: EventBroker, isWritten: boolean): Promise<void> {
    const subscription = await broker.subscribe({ topics: this.#topics, index: this.start, epoch: broker.epoch });
    if (isWritten) this.#delivery = subscription.deliverTo(this, ndjsonFormat, { heartbeatMs: 0 });
    else this.#subscription = subscription;
  }

  /** Pushes back as soon as it has taken what it was to take. */
  write(chunk: Uint8Array): boolean {
    for (const line of Buffer.from(chunk).toString().split('\n').slice(0, -1)) {
      const { Gap, Index, Events = [] } = JSON.parse(line) as Wire;
      if (Gap) this.gaps.push({ from: Gap.From, to: Gap.To, reason: 'slow' });
      for (const { Key, Payload } of Events) this.seen.push({ index: Index, key: Key, payload: Payload });
    }
    return --this.#credit > 0;
  }

  end(): void {}

  read(count: number): void {
    this.#credit = count;
    this.#delivery?.drained();
    for (let i = 0; i < count; i++) {
      const batch = this.#subscription?.poll();
      if (batch?.gap) this.gaps.push(batch.gap);
      for (const { key: at, payload } of batch?.events ?? [])
        this.seen.push({ index: batch?.index ?? 0, key: at, payload: payload as number });
    }
  }

  wants({ key: of }: Published): boolean {
    return of === 'a' || !this.#topics.includes('Job:a');
  }
}

interface Wire {
  readonly Index: number;
  readonly Events?: readonly { readonly Key: string; readonly Payload: number }[];
  readonly Gap?: { readonly From: number; readonly To: number };
}

describe('several batches of one index', () => {
  it('reach every reader in order, each once, or are told as a gap', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(1, 2, 5, 1000), fc.array(step, { maxLength: 60 }), async (maxBatches, steps) => {
        const clock = new VirtualClock();
        const broker = new EventBroker({ clock, buffer: { maxBatches }, flush: { maxShare: 1 } });
        const published: Published[] = [];
        const readers: Reader[] = [];
        let newest = 0;
        const publish = async (of: string, isAppended: boolean): Promise<void> => {
          const index = isAppended && newest > 0 ? newest : newest + 1;
          const event = { topic: 'Job', type: 'Made', key: of, payload: published.length };
          expect(await broker.publish(event, { index, append: true })).toBe(index);
          published.push({ index: (newest = index), key: of, payload: event.payload });
        };
        for (const one of steps) {
          if (one.do === 'publish') await publish(one.key, one.isAppended);
          if (one.do === 'turn') await clock.settle();
          if (one.do === 'read') readers[one.reader]?.read(one.count);
          if (one.do === 'open') {
            const reader = new Reader(Math.max(1, newest + 1 - one.back), one.topics);
            readers.push(reader);
            await reader.open(broker, one.isWritten);
          }
        }
        // A last one for all, so that gaps are told.
        await publish('a', false);
        for (const reader of readers) {
          for (let i = 0; i < 2; i++) {
            reader.read(1000);
            await clock.settle();
          }
          check(reader, published);
        }
      }),
      { numRuns: process.env['NIGHTLY'] ? 10_000 : 300 },
    );
  });

  it('are sent again to who resumes after the index: nobody knows how much of it had come', async () => {
    const broker = new EventBroker();
    const event = (payload: number) => ({ topic: 'Job', type: 'Made', key: 'a', payload });
    await broker.publish(event(1), { index: 7 });
    await broker.publish(event(2), { index: 7, append: true });
    await broker.publish(event(3), { index: 8 });
    const subscription = await broker.subscribe({ index: 8, epoch: broker.epoch });
    expect(
      [subscription.poll(), subscription.poll()].map((batch) => [batch?.index, batch?.events[0]?.payload]),
    ).toEqual([
      [7, 2],
      [8, 3],
    ]);
    expect(broker.stats()).toMatchObject({ oldestIndex: 7, latestIndex: 8 });
  });

  it('are refused below the newest index, and without append or an index', async () => {
    const broker = new EventBroker();
    const event = { topic: 'Job', type: 'Made', key: 'a', payload: 1 };
    await broker.publish(event, { index: 7, append: true });
    await expect(broker.publish(event, { index: 6, append: true })).rejects.toMatchObject({ code: 'index_conflict' });
    await expect(broker.publish(event, { index: 7 })).rejects.toMatchObject({ code: 'index_conflict' });
    await expect(broker.publish(event, { append: true })).rejects.toThrow(TypeError);
    expect(broker.stats().latestIndex).toBe(7);
  });
});

/** What it saw is a part of what was published, in order; what it did not see of it, it was told. */
function check(reader: Reader, published: readonly Published[]): void {
  const payloads = reader.seen.map(({ payload }) => payload);
  expect(payloads).toEqual(payloads.toSorted((a, b) => a - b));
  expect(new Set(payloads).size).toBe(payloads.length);
  for (const { index, payload } of reader.seen) expect(published[payload]?.index).toBe(index);
  const missing = published.filter(
    (one) => one.index >= reader.start && reader.wants(one) && !payloads.includes(one.payload),
  );
  const untold = missing.filter(({ index }) => !reader.gaps.some(({ from, to }) => from <= index && index <= to));
  expect(untold).toEqual([]);
}

describe('several batches of one index over HTTP', () => {
  it('are each handed over once by the client, however its connection is cut', async () => {
    const broker = new EventBroker({ flush: { maxShare: 1 } });
    const sockets = new Set<Socket>();
    const server = createServer(eventStreamHandler({ broker, heartbeatMs: 1000 }));
    server.on('connection', (socket) => sockets.add(socket));
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const stream = streamEvents(url, { topics: ['Job:a'], minDelayMs: 1, maxDelayMs: 2 });
    const seen: unknown[] = [];
    const expected: number[] = [];
    for (let i = 0; i < 60; i++) {
      const [key, index] = [i % 3 === 1 ? 'b' : 'a', 1 + Math.floor(i / 4)];
      await broker.publish({ topic: 'Job', type: 'Made', key, payload: i }, { index, append: true });
      if (key === 'a') expected.push(i);
      while (seen.length < expected.length) seen.push((await stream.next()).value?.events[0]?.payload);
      if (i % 5 === 0) for (const socket of sockets) socket.destroy();
    }
    expect(seen).toEqual(expected);
    stream.close();
    await broker.close();
    server.closeAllConnections();
    server.close();
  });
});
