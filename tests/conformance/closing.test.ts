import { describe, expect, it } from 'vitest';
import { ndjsonStream } from '../../src/adapters/ndjson.ts';
import { EventBroker } from '../../src/core/broker/event-broker.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { drain } from './reading.ts';

const job = (key = 'web') => ({ topic: 'Job', type: 'JobRegistered', key, payload: 'x'.repeat(1000) });

describe('a subscription is freed', () => {
  it('by close(): a reader that waits gets `done`, and nothing more comes', async () => {
    const broker = new EventBroker();
    const subscription = await broker.subscribe();
    const waiting = [subscription.next(), subscription.next()];
    subscription.close();
    expect(await Promise.all(waiting)).toEqual([
      { value: undefined, done: true },
      { value: undefined, done: true },
    ]);
    await broker.publish(job());
    expect(subscription.poll()).toBeUndefined();
    expect(await subscription.next()).toEqual({ value: undefined, done: true });
    expect(subscription).toMatchObject({ state: 'closed', error: undefined });
    expect(broker.stats()).toMatchObject({ subscriptions: 0, interests: 0 });
  });

  it('by leaving the loop', async () => {
    const broker = new EventBroker();
    const subscription = await broker.subscribe();
    await broker.publish(job());
    for await (const { index } of subscription) if (index === 1) break;
    expect(broker.stats()).toMatchObject({ subscriptions: 0, interests: 0 });
  });

  it('by its signal, once, also when it was aborted before', async () => {
    const broker = new EventBroker();
    const controller = new AbortController();
    const subscription = await broker.subscribe({ signal: controller.signal });
    const waiting = subscription.next();
    controller.abort();
    expect((await waiting).done).toBe(true);
    expect(broker.stats().subscriptions).toBe(0);
    await expect(broker.subscribe({ signal: controller.signal })).rejects.toThrow(/abort/i);
    const reason = new Error('mine');
    await expect(broker.subscribe({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(broker.stats().subscriptions).toBe(0);
  });

  it('by closing twice no more than once', async () => {
    const broker = new EventBroker();
    let told = 0;
    broker.on('unsubscribe', () => told++);
    const subscription = await broker.subscribe();
    subscription.close();
    subscription.close();
    await broker.close();
    expect(told).toBe(1);
  });
});

describe('broker.close()', () => {
  it('ends a reader in process after what was published before, with the reason', async () => {
    const broker = new EventBroker();
    const subscription = await broker.subscribe();
    await broker.publish(job());
    await broker.publish(job());
    await broker.close();
    expect(drain(subscription)).toMatchObject({ indexes: [1, 2], error: undefined });
    expect(subscription.error).toMatchObject({ code: 'closed', retry: 'resume', index: 2 });
    expect(await subscription.next()).toEqual({ value: undefined, done: true });
  });

  it('ends the loop of a reader that waits, and tells the reason beside it', async () => {
    const broker = new EventBroker();
    const subscription = await broker.subscribe();
    const loop = (async () => {
      for await (const { index } of subscription) expect(index).toBeUndefined();
    })();
    await broker.close();
    await loop;
    expect(subscription.error).toMatchObject({ code: 'closed', index: 0 });
  });

  it('writes what was published before, then the reason, and ends the stream', async () => {
    const clock = new VirtualClock();
    const broker = new EventBroker({ clock });
    const stream = ndjsonStream(await broker.subscribe());
    await broker.publish(job());
    await broker.publish(job());
    await broker.close();
    const lines = String(Buffer.concat((await stream.toArray()) as Buffer[])).split('\n');
    expect(lines.map((line) => (line === '' ? '' : Object.keys(JSON.parse(line) as object)[0]))).toEqual([
      undefined,
      'Index',
      'Index',
      'Error',
      '',
    ]);
    expect(lines[3]).toContain('"Code":"closed"');
    expect(lines[3]).toContain('"Index":2');
    expect(clock.timers).toBe(0);
  });

  it('lets go of everything, tells it once, and may be called again', async () => {
    const clock = new VirtualClock();
    const broker = new EventBroker({ clock });
    const subscriptions = [await broker.subscribe(), await broker.subscribe({ topics: ['Job'] })];
    const streams = subscriptions.map((subscription) => ndjsonStream(subscription).resume());
    let told = 0;
    broker.on('close', () => told++);
    await Promise.all([broker.close(), broker.close()]);
    await broker.close();
    expect(told).toBe(1);
    expect(broker.stats()).toMatchObject({ subscriptions: 0, interests: 0 });
    expect(clock.timers).toBe(0);
    await Promise.all(streams.map((stream) => new Promise((resolve) => void stream.on('close', resolve))));
  });

  it('does not end a stream that reads the backlog in silence', async () => {
    const broker = new EventBroker();
    for (let i = 0; i < 500; i++) await broker.publish(job());
    const stream = ndjsonStream(await broker.subscribe(), { highWaterMarkBytes: 10_000_000 });
    await broker.close();
    const lines = String(Buffer.concat((await stream.toArray()) as Buffer[]))
      .trimEnd()
      .split('\n');
    const last = JSON.parse(lines.at(-1) ?? '') as { Error: { Code: string; Index: number } };
    expect(last.Error).toMatchObject({ Code: 'closed', Index: lines.length - 2 });
  });
});

describe('a stream', () => {
  it('is delivered once', async () => {
    const subscription = await new EventBroker().subscribe();
    ndjsonStream(subscription).destroy();
    expect(() => ndjsonStream(subscription)).toThrow(TypeError);
  });

  it('frees its subscription when it is destroyed', async () => {
    const broker = new EventBroker();
    const stream = ndjsonStream(await broker.subscribe());
    stream.destroy();
    await new Promise((resolve) => void stream.on('close', resolve));
    expect(broker.stats().subscriptions).toBe(0);
  });

  it.each([-1, NaN, Infinity])('refuses heartbeats every %d ms', async (heartbeatMs) => {
    const subscription = await new EventBroker().subscribe();
    expect(() => ndjsonStream(subscription, { heartbeatMs })).toThrow(/heartbeatMs/);
  });
});
