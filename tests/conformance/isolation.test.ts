import { describe, expect, it } from 'vitest';
import { ndjsonFormat, ndjsonStream } from '../../src/adapters/ndjson.ts';
import { EventBroker } from '../../src/core/broker/event-broker.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { drain, failureOf } from './reading.ts';

const job = (key = 'web') => ({ topic: 'Job', type: 'JobRegistered', key, payload: 'x'.repeat(1000) });
const fail = (): never => {
  throw new Error('of a stranger');
};

describe('harm stays where it is', () => {
  it('a listener that throws on every notification harms neither publisher nor subscriber', async () => {
    const broker = new EventBroker({ buffer: { maxBatches: 2 } });
    for (const name of ['subscribe', 'unsubscribe', 'gap', 'error', 'close', 'lagging'] as const) broker.on(name, fail);
    const slow = await broker.subscribe();
    for (let i = 0; i < 4; i++) await broker.publish(job());
    expect(drain(slow).indexes).toEqual([3, 4]);
    slow.close();
    await broker.close();
    expect(broker.stats().listenerErrors).toBeGreaterThanOrEqual(4);
  });

  it('a transport that throws loses its own stream alone', async () => {
    const clock = new VirtualClock();
    const broker = new EventBroker({ clock });
    const healthy = await broker.subscribe();
    const written: string[] = [];
    healthy.deliverTo(
      { write: (chunk) => written.push(String(Buffer.from(chunk))) > 0, end: () => undefined },
      ndjsonFormat,
      { heartbeatMs: 0 },
    );
    let writes = 0;
    const sick = await broker.subscribe();
    sick.deliverTo({ write: () => (++writes > 1 ? fail() : true), end: fail }, ndjsonFormat, { heartbeatMs: 0 });
    for (let i = 0; i < 3; i++) {
      await broker.publish(job());
      await clock.settle();
    }
    expect(written.join('').match(/"Index":\d,"Events"/g)).toHaveLength(3);
    expect(sick.state).toBe('closed');
    expect(broker.stats().subscriptions).toBe(1);
  });

  it.each(['write', 'format', 'waitingBytes'] as const)(
    'a transport that fails in %s ends with internal, which is counted and told to the host',
    async (where) => {
      const clock = new VirtualClock();
      const broker = new EventBroker({ clock });
      const healthy = await broker.subscribe();
      const written: string[] = [];
      const sick = await broker.subscribe();
      let isFailing = false;
      const failing = (what: string): boolean => (isFailing && where === what ? fail() : true);
      const sink = {
        write: () => failing('write') && where !== 'waitingBytes',
        end: () => undefined,
        get waitingBytes() {
          failing('waitingBytes');
          return 1;
        },
      };
      const format = { ...ndjsonFormat, encode: (text: string) => (failing('format'), ndjsonFormat.encode(text)) };
      const write = (chunk: Uint8Array): boolean => written.push(String(Buffer.from(chunk))) > 0;
      sick.deliverTo(sink, format, { heartbeatMs: 0 });
      healthy.deliverTo({ write, end: () => undefined }, ndjsonFormat, { heartbeatMs: 0 });
      await clock.settle();
      isFailing = true;
      const ended = new Promise<unknown>((resolve) => broker.once('unsubscribe', ({ error }) => resolve(error)));
      await broker.publish(job());
      await clock.settle();
      expect(written.join('')).toContain('"Index":1,"Events"');
      expect(sick.error).toMatchObject({ code: 'internal', cause: { message: 'of a stranger' } });
      expect(await ended).toMatchObject({ code: 'internal' });
      expect(broker.stats()).toMatchObject({ subscriptions: 1, ended: { internal: 1 } });
    },
  );

  it('a reader that never reads costs a position, and holds back nobody', async () => {
    const clock = new VirtualClock();
    const broker = new EventBroker({ clock, buffer: { maxBatches: 10 } });
    const stalled = ndjsonStream(await broker.subscribe(), { highWaterMarkBytes: 1 });
    const idle = await broker.subscribe();
    const reader = await broker.subscribe();
    const read: number[] = [];
    for (let i = 0; i < 200; i++) {
      await broker.publish(job());
      await clock.settle();
      read.push(...drain(reader).indexes);
    }
    expect(read).toEqual(Array.from({ length: 200 }, (_, i) => i + 1));
    // One chunk beyond the mark at most: a heartbeat, and what came with the first flush.
    expect(stalled.readableLength).toBeLessThan(3000);
    expect(broker.stats().bufferedBatches).toBe(10);
    expect(drain(idle).gaps).toEqual([{ from: 1, to: 190, reason: 'slow' }]);
    stalled.destroy();
  });

  it('what waits for a flush is bounded by the buffer, however long the turn of the event loop is', async () => {
    const clock = new VirtualClock();
    const broker = new EventBroker({ clock, buffer: { maxBatches: 10 } });
    const subscription = await broker.subscribe({ index: 'latest' });
    let written = 0;
    const write = (chunk: Uint8Array): boolean => {
      written += Buffer.from(chunk).toString().split('"Events"').length - 1;
      return true;
    };
    subscription.deliverTo({ write, end: () => undefined }, ndjsonFormat, { heartbeatMs: 0 });
    await clock.settle();
    for (let i = 0; i < 100; i++) await broker.publish(job());
    expect(written).toBeGreaterThanOrEqual(90);
    await clock.settle();
    expect(written).toBe(100);
  });

  it('a listener finds the broker at rest, and may publish, subscribe and close from within', async () => {
    const broker = new EventBroker({ buffer: { maxBatches: 2 } });
    const seen: number[] = [];
    const subscription = await broker.subscribe();
    broker.once('gap', () => void broker.publish(job('from within')));
    broker.on('gap', () => seen.push(broker.stats().latestIndex));
    for (let i = 0; i < 4; i++) await broker.publish(job());
    expect(drain(subscription).indexes).toEqual([3, 4, 5]);
    expect(seen).toEqual([5]);
  });

  it('refuses one subscription too many, and goes on for the others', async () => {
    const broker = new EventBroker({ maxSubscriptions: 2 });
    const one = await broker.subscribe();
    await broker.subscribe();
    expect(await failureOf(() => broker.subscribe())).toMatchObject({
      code: 'at_capacity',
      status: 503,
      retry: 'resume',
    });
    expect(broker.stats()).toMatchObject({ subscriptions: 2, interests: 1 });
    one.close();
    await expect(broker.subscribe()).resolves.toBeDefined();
  });

  it('two readers with one filter do not take from each other', async () => {
    const broker = new EventBroker();
    const [one, other] = [await broker.subscribe(), await broker.subscribe()];
    await broker.publish(job());
    await broker.publish(job());
    expect(one.poll()?.index).toBe(1);
    expect(drain(other).indexes).toEqual([1, 2]);
    one.close();
    await broker.publish(job());
    expect(drain(other).indexes).toEqual([3]);
  });

  it('several calls of next() on one subscription get the batches in their order', async () => {
    const broker = new EventBroker();
    const subscription = await broker.subscribe();
    const calls = [subscription.next(), subscription.next(), subscription.next()];
    for (let i = 0; i < 3; i++) await broker.publish(job());
    expect((await Promise.all(calls)).map(({ value }) => value?.index)).toEqual([1, 2, 3]);
  });
});
