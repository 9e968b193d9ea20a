import { once } from 'node:events';
import { connect, constants, createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EventBroker } from 'fenceline';
import { eventStreamHandler } from 'fenceline/http';

const codes = Object.entries(constants)
  .filter(([name]) =>
    /^NGHTTP2_(NO_ERROR|.*_ERROR|REFUSED_STREAM|CANCEL|ENHANCE_YOUR_CALM|INADEQUATE_SECURITY)$/.test(name),
  )
  .filter(([, code]) => typeof code === 'number' && code >= 0 && code <= 13);
const event = { topic: 'Job', type: 'Made', key: 'a', payload: 'x'.repeat(100_000) };

/** Streams whose clients have let their windows fill up. */
async function stalledStreams(count: number) {
  const broker = new EventBroker();
  const server = createServer(eventStreamHandler({ broker }));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  session.on('error', () => undefined);
  onTestFinished(async () => {
    session.destroy();
    await broker.close();
    await new Promise((resolve) => void server.close(resolve));
  });
  const streams = Array.from({ length: count }, () => session.request({ ':path': '/' }));
  for (const stream of streams) {
    stream.on('error', () => undefined);
    await once(stream, 'response');
    stream.pause();
  }
  const seen = { lagging: 0 };
  broker.on('lagging', () => seen.lagging++);
  while (seen.lagging < count) {
    await broker.publish(event);
    await new Promise(setImmediate);
  }
  return { broker, session, streams };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate);
}

describe('a stream over HTTP/2 whose window is full', () => {
  it.each(codes)('is freed at once when its client resets it with %s', async (_, code) => {
    const { broker, streams } = await stalledStreams(3);
    for (const stream of streams) stream.close(code as number);
    await until(() => broker.stats().subscriptions === 0);
    expect(broker.stats()).toMatchObject({ subscriptions: 0, interests: 0 });
  });

  it('is freed when its connection goes away', async () => {
    const { broker, session } = await stalledStreams(3);
    session.destroy();
    await until(() => broker.stats().subscriptions === 0);
    expect(broker.stats().interests).toBe(0);
  });

  it('is freed when its client says that it goes away', async () => {
    const { broker, session, streams } = await stalledStreams(2);
    session.goaway(constants.NGHTTP2_NO_ERROR);
    for (const stream of streams) stream.close(constants.NGHTTP2_NO_ERROR);
    session.close();
    await until(() => broker.stats().subscriptions === 0);
    expect(broker.stats().interests).toBe(0);
  });
});
