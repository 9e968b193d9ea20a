import { afterEach, expect, it } from 'vitest';
import { streamEvents, type Position } from '../../src/client/index.ts';
import { describeWithNats, NatsServer } from '../servers/nats-server.ts';
import { RunningExample } from './run-example.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

describeWithNats('two processes of 15-jetstream on one nats-server', () => {
  it('a client that is moved between them has every batch of both once, also when one of them is killed', async () => {
    const nats = await NatsServer.start();
    cleanups.push(() => nats.stop());
    const start = (): RunningExample => {
      const example = new RunningExample('15-jetstream', [], { NATS_URL: `127.0.0.1:${nats.port}` });
      cleanups.push(() => example.kill());
      return example;
    };
    const [one, other] = [start(), start()];
    const [url, otherUrl] = [await one.url(), await other.url()];

    const seen: { index: number; keys: string[] }[] = [];
    const read = async (from: string, position: Partial<Position>): Promise<Position> => {
      const stream = streamEvents(from, { ...position, minDelayMs: 1, maxDelayMs: 50 });
      const until = seen.length + 3;
      for await (const { index, events, gap } of stream) {
        expect(gap).toBeUndefined();
        seen.push({ index, keys: events.map(({ key }) => key) });
        if (seen.length === until) break;
      }
      return stream.position;
    };
    let position = await read(url, {});
    position = await read(otherUrl, position);
    position = await read(url, position);
    one.kill();
    await read(otherUrl, position);

    // The log's indexes are dense, and the stream asked for everything.
    expect(seen.map(({ index }) => index)).toEqual(seen.map((_, i) => i + 1));
    // Each process counts its own orders.
    expect(seen.filter(({ keys }) => keys.includes('o-1'))).toHaveLength(2);
    expect(await other.stop()).toBe(0);
  });
});
