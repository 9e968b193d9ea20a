import { describe, expect, it } from 'vitest';
import { EventBroker, type ByteSink } from 'fenceline';
import { ndjsonFormat } from 'fenceline/ndjson';
import { VirtualClock } from 'fenceline/testing';

const job = ({ key = 'a' } = {}) => ({ topic: 'Job', type: 'Made', key, payload: 1 });

class Sink implements ByteSink {
  text = '';
  isOpen = true;

  write(chunk: Uint8Array): boolean {
    this.text += Buffer.from(chunk).toString();
    return true;
  }

  end(last?: Uint8Array): void {
    if (last) this.write(last);
    this.isOpen = false;
  }
}

describe('a subscription is read in one way at a time', () => {
  it('refuses poll() and next() once it is delivered: what they took, the transport would miss', async () => {
    const subscription = await new EventBroker().subscribe();
    subscription.deliverTo(new Sink(), ndjsonFormat);
    expect(() => subscription.poll()).toThrow(TypeError);
    await expect(subscription.next()).rejects.toThrow(TypeError);
  });

  it('refuses poll() and deliverTo() while a next() waits, and the next() still gets its batch', async () => {
    const broker = new EventBroker();
    const subscription = await broker.subscribe();
    const next = subscription.next();
    expect(() => subscription.poll()).toThrow(TypeError);
    expect(() => subscription.deliverTo(new Sink(), ndjsonFormat)).toThrow(TypeError);
    await broker.publish(job());
    expect((await next).value).toMatchObject({ index: 1 });
  });

  it('refuses a second transport', async () => {
    const subscription = await new EventBroker().subscribe();
    subscription.deliverTo(new Sink(), ndjsonFormat);
    expect(() => subscription.deliverTo(new Sink(), ndjsonFormat)).toThrow(TypeError);
  });

  it('may be polled first and delivered then: the transport is told what the poll was to tell', async () => {
    const clock = new VirtualClock();
    const broker = new EventBroker({ clock, buffer: { maxBatches: 1 } });
    const subscription = await broker.subscribe({ topics: ['Job:b'] });
    for (const key of ['b', 'b', 'a']) await broker.publish(job({ key }));
    expect(subscription.poll(), 'the gap alone').toBeUndefined();
    const sink = new Sink();
    subscription.deliverTo(sink, ndjsonFormat, { heartbeatMs: 0 });
    await clock.settle();
    expect(JSON.parse(sink.text)).toMatchObject({ Gap: { From: 1, To: 2, Reason: 'slow' } });
  });
});
