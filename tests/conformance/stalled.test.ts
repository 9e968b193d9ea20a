import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { EventBroker, type ByteSink } from 'fenceline';
import { eventStreamHandler } from 'fenceline/http';
import { ndjsonFormat } from 'fenceline/ndjson';
import { VirtualClock } from 'fenceline/testing';

const event = { topic: 'Job', type: 'Made', key: 'a', payload: 'x'.repeat(100_000) };

class Sink implements ByteSink {
  waitingBytes: number | undefined = 0;
  isFull = false;
  last = '';

  write(chunk: Uint8Array): boolean {
    this.waitingBytes = (this.waitingBytes ?? 0) + chunk.length;
    return !this.isFull;
  }

  end(last?: Uint8Array): void {
    this.last = last ? Buffer.from(last).toString() : '';
  }
}

describe('a transport that takes nothing', () => {
  it('is ended with slow after stalledMs, with the place to resume from; one that takes something is not', async () => {
    const clock = new VirtualClock();
    const broker = new EventBroker({ clock, stalledMs: 2000 });
    const [stalled, slow] = [new Sink(), new Sink()];
    for (const sink of [stalled, slow]) (await broker.subscribe()).deliverTo(sink, ndjsonFormat, { heartbeatMs: 0 });
    await clock.settle();
    for (const sink of [stalled, slow]) sink.isFull = true;
    await broker.publish(event);
    for (let i = 0; i < 4; i++) {
      await clock.advance(1000);
      slow.waitingBytes = (slow.waitingBytes ?? 0) - 1;
    }
    expect(JSON.parse(stalled.last)).toMatchObject({ Error: { Code: 'slow', Index: 1 } });
    expect(slow.last).toBe('');
    expect(broker.stats().subscriptions).toBe(1);
  });

  it('is not ended where the host says Infinity', async () => {
    const clock = new VirtualClock();
    const broker = new EventBroker({ clock, stalledMs: Infinity });
    const sink = new Sink();
    (await broker.subscribe()).deliverTo(sink, ndjsonFormat, { heartbeatMs: 0 });
    await clock.settle();
    sink.isFull = true;
    await broker.publish(event);
    await clock.advance(1e9);
    expect(broker.stats().subscriptions).toBe(1);
  });

  it.each([0, -1, NaN])('is refused as a setting: stalledMs %s', (stalledMs) => {
    expect(() => new EventBroker({ stalledMs })).toThrow(TypeError);
  });
});

describe('a peer that does not read its socket', () => {
  const ends: (() => void)[] = [];
  afterEach(() => {
    for (const end of ends.splice(0)) end();
  });

  it('loses its stream, and what it held is freed', async () => {
    const clock = new VirtualClock();
    const broker = new EventBroker({ clock, stalledMs: 5000, buffer: { maxBatches: 8 } });
    const server = http.createServer(eventStreamHandler({ broker, heartbeatMs: 0 }));
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    ends.push(() => server.close().closeAllConnections());
    const seen = { lagging: 0 };
    broker.on('lagging', () => seen.lagging++);
    const ended = new Promise<{ error: unknown }>((resolve) => broker.once('unsubscribe', resolve));
    const opened = new Promise((resolve) => broker.once('subscribe', resolve));
    const socket = net.connect((server.address() as AddressInfo).port, '127.0.0.1');
    ends.push(() => socket.destroy());
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await opened;
    while (seen.lagging === 0) {
      await broker.publish(event);
      await clock.settle();
    }
    // What the kernel's buffers still take is taken by now or in the next moments: it has the time twice.
    for (let i = 0; i < 10 && broker.stats().subscriptions > 0; i++) await clock.advance(5000);
    expect((await ended).error).toMatchObject({ code: 'slow' });
    expect(broker.stats()).toMatchObject({ subscriptions: 0, interests: 0 });
  });
});
