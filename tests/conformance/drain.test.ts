import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  Acl,
  EventBroker,
  systemClock,
  type ByteSink,
  type Clock,
  type EventBrokerOptions,
  type EventLog,
} from 'fenceline';
import { eventStreamHandler } from 'fenceline/http';
import { ndjsonFormat } from 'fenceline/ndjson';
import { FaultyEventLog, MemoryEventLog, VirtualClock } from 'fenceline/testing';
import { HttpEndpoint } from './http-stream.ts';
import { failureOf } from './reading.ts';

const event = (payload: unknown = 1) => ({ topic: 'Job', type: 'Made', key: 'a', payload });
const never = (): Promise<never> => new Promise(() => undefined);

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

interface LastLine {
  readonly Code: string;
  readonly Retry: string;
  readonly Index: number;
}

class Sink implements ByteSink {
  text = '';
  hasEnded = false;
  readonly #taken: (() => Promise<void>) | undefined;

  /** @param taken when the peer has taken the last bytes, where the transport tells */
  constructor(taken?: () => Promise<void>) {
    this.#taken = taken;
  }

  get last(): LastLine | undefined {
    const line = this.text.trimEnd().split('\n').at(-1) ?? '';
    return line === '' ? undefined : (JSON.parse(line) as { Error?: LastLine }).Error;
  }

  get indexes(): readonly number[] {
    return [...this.text.matchAll(/^\{"Index":(\d+)/gm)].map(([, index]) => Number(index));
  }

  write(chunk: Uint8Array): boolean {
    this.text += Buffer.from(chunk).toString();
    return true;
  }

  end(last?: Uint8Array): Promise<void> | undefined {
    if (last) this.write(last);
    this.hasEnded = true;
    return this.#taken?.();
  }
}

function brokerOn(options: EventBrokerOptions = {}) {
  const clock = new VirtualClock();
  const broker = new EventBroker({ clock, ...options });
  // Not waited for: one that never ends is for its test to see.
  cleanups.push(() => void broker.close());
  const open = async (sink = new Sink(), acl: Acl | (() => Acl | Promise<Acl>) = Acl.management): Promise<Sink> => {
    (await broker.subscribe({ acl, index: 'latest' })).deliverTo(sink, ndjsonFormat, { heartbeatMs: 0 });
    await clock.settle();
    return sink;
  };
  return { clock, broker, open };
}

/** Whether it has resolved by now. */
function watched(closing: Promise<void>) {
  const seen = { isOver: false };
  void closing.then(() => (seen.isOver = true));
  return seen;
}

describe('broker.close({ drainMs })', () => {
  it('ends so many streams in each part of the time, each with its place; the others go on', async () => {
    const { clock, broker, open } = brokerOn();
    const sinks: Sink[] = [];
    for (let i = 0; i < 90; i++) sinks.push(await open());
    const closing = watched(broker.close({ drainMs: 10_000 }));
    const ended: number[] = [];
    for (let tenth = 1; tenth <= 9; tenth++) {
      await broker.publish(event());
      await clock.advance(1000);
      ended.push(sinks.filter(({ hasEnded }) => hasEnded).length);
    }
    expect(ended).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90]);
    expect(closing.isOver).toBe(true);
    for (const { last, indexes } of sinks) {
      expect(last).toMatchObject({ Code: 'closed', Retry: 'resume' });
      expect(indexes).toEqual(Array.from({ length: last?.Index ?? -1 }, (_, i) => i + 1));
    }
    // As many of each index as ended before the next.
    const endedAt = (index: number) => sinks.filter(({ last }) => last?.Index === index).length;
    expect(Array.from({ length: 9 }, (_, i) => endedAt(i + 1))).toEqual(Array.from({ length: 9 }, () => 10));
    expect(clock.timers).toBe(0);
  });

  it.each([
    ['at the beginning', 0, [0, 2250, 4500, 6750]],
    ['in the middle', 0.5, [1125, 3375, 5625, 7875]],
  ])('ends each %s of its part where chance says so', async (_, random, expected) => {
    const { clock, broker, open } = brokerOn({ random: () => random });
    const began = clock.now();
    const ends: number[] = [];
    broker.on('unsubscribe', () => ends.push(clock.now() - began));
    for (let i = 0; i < 4; i++) await open();
    void broker.close({ drainMs: 10_000 });
    await clock.advance(10_000);
    expect(ends).toEqual(expected);
  });

  it('lets nobody in from the call on, over HTTP with 503 and Retry-After; publishing goes on to its end', async () => {
    const clock = new VirtualClock();
    const flushing: Clock = { now: () => clock.now(), after: clock.after.bind(clock), soon: systemClock.soon };
    const { broker } = brokerOn({ clock: flushing });
    const endpoint = await HttpEndpoint.serve({ broker, heartbeatMs: 0 });
    cleanups.push(() => endpoint.close());
    const stream = await endpoint.open('index=latest');
    const closing = broker.close({ drainMs: 1000 });
    const refused = await endpoint.open();
    expect({ status: refused.status, wait: refused.headers['retry-after'] }).toEqual({
      status: 503,
      wait: expect.stringMatching(/^[123]$/) as string,
    });
    expect(await refused.text()).toContain('"Code":"closed"');
    expect(await failureOf(() => broker.subscribe())).toMatchObject({ code: 'closed' });
    expect(await broker.publish(event())).toBe(1);
    expect(await stream.text()).toContain('"Index":1,');
    await clock.advance(1000);
    expect(await stream.text()).toContain(
      '"Code":"closed","Message":"The broker is closed.","Retry":"resume","Index":1}',
    );
    await closing;
    expect(await failureOf(() => broker.publish(event()))).toMatchObject({ code: 'closed' });
  });

  it('ends what is read in process last, with all that was published meanwhile', async () => {
    const { clock, broker, open } = brokerOn({ random: () => 0.9 });
    await open();
    const seen: number[] = [];
    const reading = (async () => {
      for await (const { index } of await broker.subscribe()) seen.push(index);
    })();
    await clock.settle();
    const closing = broker.close({ drainMs: 1000 });
    for (let i = 0; i < 5; i++) {
      await broker.publish(event());
      await clock.advance(100);
    }
    await clock.advance(500);
    await closing;
    await reading;
    expect(seen).toEqual([1, 2, 3, 4, 5]);
  });

  it('is over when the last has left by itself', async () => {
    const { clock, broker, open } = brokerOn({ random: () => 0.99 });
    const sinks = [await open(), await open()];
    const leaving = [await broker.subscribe(), await broker.subscribe()];
    for (const one of leaving) one.deliverTo(new Sink(), ndjsonFormat, { heartbeatMs: 0 });
    const closing = watched(broker.close({ drainMs: 1_000_000 }));
    await clock.advance(500_000);
    expect({ ended: sinks.map(({ hasEnded }) => hasEnded), isOver: closing.isOver }).toEqual({
      ended: [true, true],
      isOver: false,
    });
    for (const one of leaving) one.close();
    await clock.advance(1000);
    expect(closing.isOver).toBe(true);
    expect(clock.timers).toBe(0);
  });

  it('takes no time where no stream is open', async () => {
    const { clock, broker } = brokerOn();
    const subscription = await broker.subscribe();
    await broker.close({ drainMs: 60_000 });
    expect(subscription.error).toMatchObject({ code: 'closed' });
    expect(clock.timers).toBe(0);
  });

  it('is as without it with 0, and a second call waits for the first', async () => {
    const { clock, broker, open } = brokerOn();
    const sink = await open();
    let told = 0;
    broker.on('close', () => told++);
    await broker.close({ drainMs: 0 });
    expect(sink.last?.Code).toBe('closed');
    const { broker: other, clock: otherClock, open: openOther } = brokerOn();
    await openOther();
    const calls = [watched(other.close({ drainMs: 1000 })), watched(other.close())];
    await otherClock.settle();
    expect(calls.map(({ isOver }) => isOver)).toEqual([false, false]);
    await otherClock.advance(1000);
    expect(calls.map(({ isOver }) => isOver)).toEqual([true, true]);
    expect(told).toBe(1);
    expect(clock.timers).toBe(0);
  });

  it.each([[{ drainMs: -1 }], [{ drainMs: NaN }], [{ drainMs: Infinity }], [{ drainMs: '5' }], [{ drain: 5 }], [5]])(
    'refuses %j, and nothing has changed',
    async (options) => {
      const { broker, open } = brokerOn();
      const sink = await open();
      await expect(broker.close(options as never)).rejects.toThrow(TypeError);
      expect(sink.hasEnded).toBe(false);
      await expect(broker.subscribe()).resolves.toBeDefined();
    },
  );
});

describe('broker.close({ drainMs }) waits', () => {
  it('for last bytes that a transport still holds', async () => {
    const { clock, broker, open } = brokerOn({ random: () => 0 });
    let take = (): void => undefined;
    await open(new Sink(() => new Promise((resolve) => (take = resolve))));
    const closing = watched(broker.close({ drainMs: 1000 }));
    await clock.advance(900);
    expect(closing.isOver).toBe(false);
    take();
    await clock.settle();
    expect(closing.isOver).toBe(true);
  });

  it('for appends that the log has not answered', async () => {
    const log = new FaultyEventLog(new MemoryEventLog());
    const { clock, broker, open } = brokerOn({ log, random: () => 0 });
    await open();
    const held = log.holdNextAppend('after');
    const published = broker.publish(event());
    await held.arrived;
    const closing = watched(broker.close({ drainMs: 1000 }));
    await clock.advance(900);
    expect(closing.isOver).toBe(false);
    held.release();
    expect(await published).toBe(1);
    await clock.settle();
    expect(closing.isOver).toBe(true);
  });
});

describe('broker.close({ drainMs }) has ended in time', () => {
  const drainMs = 1000;

  async function endsInTime({ clock, broker }: Pick<ReturnType<typeof brokerOn>, 'clock' | 'broker'>): Promise<void> {
    let told = 0;
    broker.on('close', () => told++);
    const closing = watched(broker.close({ drainMs }));
    await clock.advance(drainMs - 1);
    expect(closing.isOver).toBe(false);
    await clock.advance(1);
    expect({ isOver: closing.isOver, told }).toEqual({ isOver: true, told: 1 });
    expect(broker.stats().subscriptions).toBe(0);
  }

  it('with a transport that never takes its last bytes, or fails to', async () => {
    const world = brokerOn();
    await world.open(new Sink(never));
    await world.open(new Sink(() => Promise.reject(new Error('gone'))));
    await endsInTime(world);
  });

  it('with a peer that does not read its socket', async () => {
    const clock = new VirtualClock();
    const flushing: Clock = { now: () => clock.now(), after: clock.after.bind(clock), soon: systemClock.soon };
    const { broker } = brokerOn({ clock: flushing, stalledMs: Infinity });
    const server = http.createServer(eventStreamHandler({ broker, heartbeatMs: 0 }));
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    cleanups.push(() => server.close().closeAllConnections());
    const seen = { lagging: 0 };
    broker.on('lagging', () => seen.lagging++);
    const opened = new Promise((resolve) => broker.once('subscribe', resolve));
    const socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
    cleanups.push(() => socket.destroy());
    socket.write('GET /?index=latest HTTP/1.1\r\nHost: a\r\n\r\n');
    await opened;
    while (seen.lagging === 0) {
      await broker.publish(event('x'.repeat(100_000)));
      await new Promise(setImmediate);
    }
    await endsInTime({ clock, broker });
  });

  it('with a store that hangs: a stream that waits for it tells nothing past the change', async () => {
    const world = brokerOn();
    let isHanging = false;
    const alice = Acl.fromRules([], { accessorId: 'alice', management: true });
    const sink = await world.open(new Sink(), () => (isHanging ? never() : alice));
    await world.broker.publish(event());
    isHanging = true;
    await world.broker.aclChanged({ token: 'alice' });
    await world.broker.publish(event('secret'));
    await world.clock.settle();
    const opening = world.broker.subscribe({ acl: never }).catch((error: unknown) => error);
    await world.open(new Sink(never));
    await endsInTime(world);
    expect(sink).toMatchObject({ indexes: [1], last: { Code: 'closed', Index: 1 } });
    await world.clock.advance(10_000);
    expect(await opening).toMatchObject({ code: 'acl_unavailable' });
  });

  it('with a store that answers after the call: nobody is let in', async () => {
    const { clock, broker, open } = brokerOn();
    await open();
    let answer: (acl: Acl) => void = () => undefined;
    const opening = broker.subscribe({ acl: () => new Promise<Acl>((resolve) => (answer = resolve)) });
    const failed = failureOf(() => opening);
    await clock.settle();
    const closing = broker.close({ drainMs });
    answer(Acl.management);
    expect(await failed).toMatchObject({ code: 'closed' });
    await clock.advance(drainMs);
    await closing;
  });

  it('with a log that never answers an append, nor stops telling', async () => {
    const faulty = new FaultyEventLog(new MemoryEventLog());
    const log: EventLog = {
      capabilities: faulty.capabilities,
      append: (body, options) => faulty.append(body, options),
      state: () => faulty.state(),
      read: (from, to, options) => faulty.read(from, to, options),
      tail: async (after, handler) => {
        await faulty.tail(after, handler);
        return { stop: never };
      },
      close: () => faulty.close(),
    };
    const world = brokerOn({ log });
    await world.open();
    const held = faulty.holdNextAppend();
    void world.broker.publish(event()).catch(() => undefined);
    await held.arrived;
    await endsInTime(world);
  });

  it('with a log that was never reached', async () => {
    const memory = new MemoryEventLog();
    const log = new Proxy<EventLog>(memory, {
      get: (target, name) => (name === 'state' ? never : (Reflect.get(target, name) as unknown)),
    });
    const { clock, broker } = brokerOn({ log });
    const opening = failureOf(() => broker.subscribe());
    await clock.settle();
    await broker.close({ drainMs });
    await clock.advance(60_000);
    expect(await opening).toMatchObject({ code: 'log_unavailable' });
  });
});
