import { afterEach, describe, expect, it } from 'vitest';
import { EventBroker, systemClock, type ByteSink, type Clock } from 'fenceline';
import { streamEvents, type StreamError } from 'fenceline/client';
import { ndjsonFormat } from 'fenceline/ndjson';
import { VirtualClock } from 'fenceline/testing';
import { HttpEndpoint } from './http-stream.ts';

const event = (payload: unknown = 1) => ({ topic: 'Job', type: 'Made', key: 'a', payload });

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

class Sink implements ByteSink {
  isFull = false;
  text = '';
  readonly #clock: VirtualClock;
  /** When it ended, in ms since it was made. */
  endedAfter: number | undefined;
  readonly #since: number;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
    this.#since = clock.now();
  }

  get lines(): { Index?: number; Error?: { Code: string; Retry: string; Index: number } }[] {
    return this.text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as object]));
  }

  write(chunk: Uint8Array): boolean {
    this.text += Buffer.from(chunk).toString();
    return !this.isFull;
  }

  end(last?: Uint8Array): void {
    if (last) this.write(last);
    this.endedAfter = this.#clock.now() - this.#since;
  }
}

/**
 * A broker on a virtual clock.
 * @param random answers with these numbers in turn
 * @param soon flushes come by themselves ('real'), as behind a server, or when the clock settles
 */
function rotating({ random: numbers, soon }: { random: readonly number[]; soon?: 'real' }) {
  const clock = new VirtualClock();
  const flushing: Clock = { now: () => clock.now(), after: clock.after.bind(clock), soon: systemClock.soon };
  let asked = 0;
  const broker = new EventBroker({
    clock: soon === 'real' ? flushing : clock,
    maxStreamMs: 10_000,
    random: () => numbers[asked++ % numbers.length] ?? 0.5,
  });
  cleanups.push(() => broker.close());
  const open = async (index: number | 'latest' = 0) => {
    const sink = new Sink(clock);
    (await broker.subscribe({ index })).deliverTo(sink, ndjsonFormat, { heartbeatMs: 0 });
    await clock.settle();
    return sink;
  };
  return { clock, broker, open };
}

describe('a stream that has lived for maxStreamMs', () => {
  it('ends with rotate and the place to resume from; nothing is lost, nothing comes twice', async () => {
    const { clock, broker, open } = rotating({ random: [0.5] });
    const sinks = [await open()];
    for (let i = 1; i <= 100; i++) {
      await broker.publish(event());
      await clock.advance(999);
      const last = sinks.at(-1)?.lines.at(-1)?.Error;
      if (last === undefined) continue;
      expect(last).toMatchObject({ Code: 'rotate', Retry: 'resume' });
      sinks.push(await open(last.Index + 1));
    }
    expect(sinks.length).toBe(10);
    const got = sinks.flatMap(({ lines }) => lines.flatMap(({ Index }) => Index ?? []));
    expect(got).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
  });

  it('ends a tenth earlier or later than the others, as chance has it', async () => {
    const { clock, open } = rotating({ random: [0, 0.25, 0.5, 0.999_999] });
    const sinks = [await open(), await open(), await open(), await open()];
    await clock.advance(20_000);
    expect(sinks.map(({ endedAfter }) => endedAfter)).toEqual([9000, 9500, 10_000, 10_990]);
  });

  it('is one on a transport: what is read in process goes on', async () => {
    const { clock, broker } = rotating({ random: [0.5] });
    const subscription = await broker.subscribe();
    await clock.advance(1e6);
    await broker.publish(event());
    expect(subscription.poll()).toMatchObject({ index: 1 });
  });

  it('lives from when its transport began', async () => {
    const { clock, broker } = rotating({ random: [0.5] });
    const subscription = await broker.subscribe();
    await clock.advance(9000);
    const sink = new Sink(clock);
    subscription.deliverTo(sink, ndjsonFormat, { heartbeatMs: 0 });
    await clock.advance(9900);
    expect(sink.endedAfter).toBeUndefined();
    await clock.advance(100);
    expect(sink.endedAfter).toBe(10_000);
  });

  it('resumes behind what it was handed, where its transport keeps up no more', async () => {
    const { clock, broker, open } = rotating({ random: [0.5] });
    const slow = await open();
    await broker.publish(event());
    await clock.settle();
    slow.isFull = true;
    await broker.publish(event());
    await clock.settle();
    await broker.publish(event());
    await clock.advance(20_000);
    expect(slow.lines).toMatchObject([{ Index: 1 }, { Index: 2 }, { Error: { Code: 'rotate', Index: 2 } }]);
  });

  it('leaves no timer behind, nor does one that ended before', async () => {
    const { clock, broker, open } = rotating({ random: [0.1, 0.9] });
    await open();
    const subscription = await broker.subscribe();
    subscription.deliverTo(new Sink(clock), ndjsonFormat, { heartbeatMs: 0 });
    expect(clock.timers).toBe(2);
    subscription.close();
    expect(clock.timers).toBe(1);
    await clock.advance(20_000);
    expect(clock.timers).toBe(0);
    await open();
    await broker.close();
    expect(clock.timers).toBe(0);
  });

  it('is told as every end is', async () => {
    const { clock, broker, open } = rotating({ random: [0.5] });
    const codes: unknown[] = [];
    broker.on('unsubscribe', ({ error }) => codes.push(error?.code));
    await open();
    await clock.advance(20_000);
    expect(codes).toEqual(['rotate']);
  });

  it('is none where nothing is said', async () => {
    const clock = new VirtualClock();
    const broker = new EventBroker({ clock });
    const sink = new Sink(clock);
    (await broker.subscribe()).deliverTo(sink, ndjsonFormat, { heartbeatMs: 0 });
    await clock.advance(1e9);
    expect(sink.endedAfter).toBeUndefined();
    expect(clock.timers).toBe(0);
  });

  it.each([0, -1, NaN])('is refused as a setting: maxStreamMs %s', (maxStreamMs) => {
    expect(() => new EventBroker({ maxStreamMs })).toThrow(TypeError);
  });
});

describe('streamEvents', () => {
  it('goes on by itself when its stream is rotated, over real HTTP: each batch once, in order', async () => {
    const { clock, broker } = rotating({ random: [0, 0.5, 0.9], soon: 'real' });
    const endpoint = await HttpEndpoint.serve({ broker, heartbeatMs: 0 });
    cleanups.push(() => endpoint.close());
    const reasons: unknown[] = [];
    const stream = streamEvents(endpoint.url, {
      minDelayMs: 1,
      onState: (state) => state.name === 'waiting' && reasons.push((state.reason as StreamError).code),
    });
    cleanups.push(() => stream.close());
    const got: number[] = [];
    const batches: number = 60;
    // Each batch is published when the one before has come, or the stream between them was ended.
    await broker.publish(event('x'.repeat(1000)));
    for await (const { index, gap } of stream) {
      expect(gap).toBeUndefined();
      got.push(index);
      if (index === batches) break;
      // Some come before the end, some after it, and some while nobody is connected.
      if (index % 3 === 0) await clock.advance(11_000);
      await broker.publish(event('x'.repeat(1000)));
      if (index % 3 === 1) await clock.advance(11_000);
    }
    expect(got).toEqual(Array.from({ length: batches }, (_, i) => i + 1));
    expect(reasons.length).toBeGreaterThan(10);
    expect(new Set(reasons)).toEqual(new Set(['rotate']));
  });

  it('goes on with a state that is rotated in its midst', async () => {
    const { clock, broker } = rotating({ random: [0.5], soon: 'real' });
    const endpoint = await HttpEndpoint.serve({ broker, heartbeatMs: 0 });
    cleanups.push(() => endpoint.close());
    for (let i = 0; i < 5; i++) await broker.publish({ ...event(), key: `k${i}` });
    const stream = streamEvents(endpoint.url, { state: true, index: 1, minDelayMs: 1 });
    cleanups.push(() => stream.close());
    const keys: string[] = [];
    for await (const { events, gap } of stream) {
      expect(gap).toBeUndefined();
      for (const { key } of events) keys.push(key);
      if (keys.length === 5) await clock.advance(11_000);
      if (keys.length === 5) await broker.publish({ ...event(), key: 'last' });
      if (keys.at(-1) === 'last') break;
    }
    expect(keys).toEqual(['k0', 'k1', 'k2', 'k3', 'k4', 'last']);
  });
});
