import { PassThrough, Writable, type Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { finished, pipeline } from 'node:stream/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';

import { ndjsonStream, type NdjsonStreamOptions } from '../../src/adapters/ndjson.ts';
import type { SubscribeOptions } from '../../src/core/broker/subscribe-request.ts';
import { EventBroker, type Subscription } from '../../src/index.ts';
import { VirtualClock } from '../../src/testing/index.ts';
import { LineReader } from './line-reader.ts';
import { indexOf, jobEvent, wireJob } from './mounted-broker.ts';

interface Opened {
  readonly broker: EventBroker;
  readonly subscription: Subscription;
  readonly stream: Readable;
}

async function opened(
  options: NdjsonStreamOptions = {},
  broker = new EventBroker(),
  asked: SubscribeOptions = {},
): Promise<Opened> {
  const subscription = await broker.subscribe(asked);
  const stream = ndjsonStream(subscription, options);
  onTestFinished(() => broker.close());
  return { broker, subscription, stream };
}

const closedReason = (index: number) =>
  `${JSON.stringify({
    Error: { Code: 'closed', Message: 'The broker is closed.', Retry: 'resume', Index: index },
    Events: [],
  })}\n`;

/** As much as a stream of such a high water mark may hold, and one chunk of such a size. */
const KIB = 1024;

describe('ndjsonStream', () => {
  it('begins with a heartbeat at once, then gives one line for each batch', async () => {
    const { broker, stream } = await opened();
    const reader = new LineReader(stream);
    expect(await reader.line()).toBe('{}');
    await broker.publish([jobEvent({ text: 'é\n😀' }), jobEvent(2)]);
    const batch = { Index: 1, Events: [...wireJob(1, { text: 'é\n😀' }).Events, ...wireJob(1, 2).Events] };
    expect(await reader.object()).toEqual(batch);
  });

  it('has no heartbeat when there are to be none', async () => {
    const { broker, stream } = await opened({ heartbeatMs: 0 });
    await broker.publish(jobEvent(1));
    await broker.close();
    expect(await text(stream)).toBe(`${JSON.stringify(wireJob(1, 1))}\n${closedReason(1)}`);
  });

  it('beats in the interval asked for, on the broker’s clock', async () => {
    const clock = new VirtualClock();
    const { stream } = await opened({ heartbeatMs: 1000 }, new EventBroker({ clock }));
    const reader = new LineReader(stream);
    expect(await reader.line()).toBe('{}');
    await clock.advance(2000);
    await clock.advance(2000);
    expect(await reader.objects(3)).toEqual([{}, {}, {}]);
  });

  it('says in heartbeats how far it has come where bookmarks are asked for', async () => {
    const { broker, stream } = await opened({ bookmarks: true }, undefined, { topics: ['Node'], index: 'latest' });
    const greeting = (index: number) => `{"Index":${index},"Epoch":"${broker.epoch}","HeartbeatMs":15000}`;
    expect(await new LineReader(stream).line()).toBe(greeting(0));
    await broker.publish(jobEvent(1));
    const later = ndjsonStream(await broker.subscribe({ topics: ['Node'], index: 'latest' }), { bookmarks: true });
    expect(await new LineReader(later).line()).toBe(greeting(1));
  });

  it('tells a gap before the batch that follows it', async () => {
    const broker = new EventBroker({ buffer: { maxBatches: 1 } });
    for (let n = 1; n <= 3; n++) await broker.publish(jobEvent(n));
    const { stream } = await opened({}, broker, { index: 1 });
    const [, gap, batch] = await new LineReader(stream).objects(3);
    expect(gap).toEqual({ Gap: { From: 1, To: 2, Reason: 'trimmed' }, Events: [] });
    expect(batch).toEqual(wireJob(3, 3));
  });

  it('ends with the reason as its last line, after all that it took', async () => {
    const { broker, stream } = await opened();
    const reader = new LineReader(stream);
    expect(await reader.line()).toBe('{}');
    await broker.publish(jobEvent(1));
    await broker.close();
    expect(await reader.object()).toEqual(wireJob(1, 1));
    expect(await reader.rest()).toBe(closedReason(1));
    expect(stream.destroyed).toBe(true);
  });

  it('gives the reason alone of a subscription that has ended already', async () => {
    const broker = new EventBroker();
    const subscription = await broker.subscribe();
    await broker.close();
    expect(subscription.error?.code).toBe('closed');
    expect(await text(ndjsonStream(subscription))).toBe(closedReason(0));
  });

  it('ends without a word when its subscription is closed by its owner', async () => {
    const { subscription, stream } = await opened();
    const read = text(stream);
    subscription.close();
    expect(await read).toBe('{}\n');
  });

  it('closes the subscription when it is destroyed, with an error or without', async () => {
    for (const error of [undefined, new Error('the peer is gone')]) {
      const { broker, subscription, stream } = await opened();
      stream.on('error', () => undefined);
      stream.destroy(error);
      await finished(stream).catch(() => undefined);
      expect(subscription.state).toBe('closed');
      expect(broker.stats().subscriptions).toBe(0);
    }
  });

  it('closes the subscription when what it is piped into fails', async () => {
    const { broker, subscription, stream } = await opened();
    const failing = new Writable({ write: (_chunk, _encoding, done) => done(new Error('disk full')) });
    await expect(pipeline(stream, failing)).rejects.toThrow('disk full');
    expect(subscription.state).toBe('closed');
    expect(broker.stats().subscriptions).toBe(0);
  });

  it('can be piped', async () => {
    const { broker, stream } = await opened();
    const through = new PassThrough();
    stream.pipe(through);
    const reader = new LineReader(through);
    await broker.publish(jobEvent(1));
    expect(await reader.objects(2)).toEqual([{}, wireJob(1, 1)]);
    await broker.close();
    expect(await reader.rest()).toBe(closedReason(1));
  });

  it('holds no more than its high water mark and one chunk while nobody reads', async () => {
    const { broker, subscription, stream } = await opened(
      { highWaterMarkBytes: 8 * KIB },
      new EventBroker({ flush: { maxShare: 1 } }),
    );
    for (let n = 1; n <= 64; n++) {
      await broker.publish(jobEvent('x'.repeat(4 * KIB)));
      await nextTurn();
    }
    expect(stream.readableLength).toBeGreaterThanOrEqual(8 * KIB);
    expect(stream.readableLength).toBeLessThan(14 * KIB);
    expect(subscription.state).toBe('unsynced');
  });

  it('gives all of it, in order, to who begins to read late', async () => {
    const { broker, subscription, stream } = await opened({ highWaterMarkBytes: 8 * KIB });
    for (let n = 1; n <= 64; n++) {
      await broker.publish(jobEvent('x'.repeat(4 * KIB)));
      await nextTurn();
    }
    const reader = new LineReader(stream);
    await reader.line();
    for (let index = 1; index <= 64; index++) expect(indexOf(await reader.line())).toBe(index);
    await broker.publish(jobEvent(65));
    expect(await reader.object()).toEqual(wireJob(65, 65));
    expect(subscription.state).toBe('synced');
  });

  it('is refused, as a mistake, for a subscription that is delivered already', async () => {
    const { subscription } = await opened();
    expect(() => ndjsonStream(subscription)).toThrow(TypeError);
  });
});
