import http from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { eventStreamHandler, type EventStreamHandlerOptions } from '../../src/adapters/http.ts';
import type { Subscription } from '../../src/core/delivery/subscription.ts';
import { histories, patienceMs } from './histories.ts';
import { openHttpStream } from './stream-client.ts';
import { ActingTransport } from './acting-transport.ts';
import { streamHistory, StreamModel, StreamWitness, type StreamStep, type Wish } from './stream-model.ts';

/** How a history reads one subscription. */
interface StreamReader {
  read(count: number): void | Promise<void>;
  pause(): void;
  /** Reads everything that there is. @returns what tells the witness, where that is still to be done */
  finish(): void | (() => void) | Promise<void | (() => void)>;
}

type Open = (model: StreamModel, wish: Wish, isPaused: boolean, witness: StreamWitness) => Promise<StreamReader>;

const openPolling: Open = async (model, wish, _, witness) => {
  const { topics, namespaces, index } = wish;
  const subscription: Subscription = await model.broker.subscribe({
    topics,
    namespace: namespaces,
    index,
    ...model.epochOf(wish),
  });
  witness.opened();
  const read = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const batch = subscription.poll();
      if (batch === undefined) return;
      if (batch.gap) witness.gap(batch.gap);
      witness.batch(
        batch.index,
        batch.events.map(({ payload }) => payload),
      );
    }
  };
  return { read, pause: () => undefined, finish: () => read(Infinity) };
};

/** Through a transport of its own that acts upon the broker in its writes. */
const openActing: Open = async (model, wish, isPaused, witness) => {
  const transport = new ActingTransport(model, wish, isPaused);
  witness.opening();
  await transport.open(() => witness.opened());
  const finish = async (): Promise<() => void> => {
    transport.finish();
    // What is published in a write comes in another flush.
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
    return () => transport.tell(witness);
  };
  return { read: () => transport.read(), pause: () => transport.pause(), finish };
};

/** As `for await` reads: a call of next() is always open. */
const openIterating: Open = async (model, wish, _, witness) => {
  const { topics, namespaces, index } = wish;
  const subscription = await model.broker.subscribe({ topics, namespace: namespaces, index, ...model.epochOf(wish) });
  witness.opened();
  let failure: unknown;
  const iterate = async (): Promise<void> => {
    for await (const { index: at, events, gap } of subscription) {
      if (gap) witness.gap(gap);
      witness.batch(
        at,
        events.map(({ payload }) => payload),
      );
    }
  };
  iterate().catch((error: unknown) => (failure = error));
  const finish = async (): Promise<void> => {
    for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
    if (failure !== undefined) throw failure;
  };
  return { read: () => undefined, pause: () => undefined, finish };
};

async function run(
  maxBatches: number,
  steps: readonly StreamStep[],
  open: Open,
  onModel: (model: StreamModel) => void,
): Promise<void> {
  const model = new StreamModel(maxBatches);
  onModel(model);
  const readers: StreamReader[] = [];
  const witnesses: StreamWitness[] = [];
  for (const step of steps) {
    if (step.do === 'publish') model.publish(step.events, step.skip);
    else if (step.do === 'read') await readers[step.reader]?.read(step.count);
    else if (step.do === 'pause') readers[step.reader]?.pause();
    else if (step.do === 'turn') await new Promise(setImmediate);
    else {
      const witness = new StreamWitness(model, step.wish);
      readers.push(await open(model, step.wish, step.isPaused, witness));
      witnesses.push(witness);
    }
  }
  while (model.broker.stats().latestIndex < 30) model.publishForAll();
  model.publishForAll();
  const tells = await Promise.all(readers.map((reader) => reader.finish()));
  for (const tell of tells) tell?.();
  for (const witness of witnesses) witness.checkComplete();
  await model.broker.close();
}

async function holdsFor(open: Open, onModel: (model: StreamModel) => void = () => undefined): Promise<void> {
  await fc.assert(
    fc.asyncProperty(streamHistory, ({ maxBatches, steps }) => run(maxBatches, steps, open, onModel)),
    histories(),
  );
}

describe('a stream is in order, whole, and loses nothing in silence', () => {
  it('in process, by poll()', () => holdsFor(openPolling), patienceMs);
  it('through a transport that acts upon the broker while it is written to', () => holdsFor(openActing), patienceMs);
  it('in process, by the async iterator', () => holdsFor(openIterating), patienceMs);

  describe.each(['auto', 'response'] as const)('through HTTP with the writer %s', (writer) => {
    let current: StreamModel | undefined;
    let server: http.Server;
    const broker: EventStreamHandlerOptions['broker'] = {
      subscribe: (options) => (current as StreamModel).broker.subscribe(options) as never,
    };
    beforeAll(async () => {
      server = http.createServer(eventStreamHandler({ broker, writer, heartbeatMs: 5 }));
      await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    });
    afterAll(() => {
      server.closeAllConnections();
      return new Promise((resolve) => void server.close(resolve));
    });
    const openHttp: Open = (model, wish, isPaused, witness) =>
      openHttpStream(
        (server.address() as AddressInfo).port,
        { ...wish, ...model.epochOf(wish) },
        isPaused,
        witness,
        () => model.broker.stats().latestIndex,
      );

    it('on a real socket', () => holdsFor(openHttp, (model) => (current = model)), patienceMs);
  });
});
