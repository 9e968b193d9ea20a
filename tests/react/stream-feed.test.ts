import { afterEach, describe, expect, it } from 'vitest';
import type { Event, EventBatch } from '../../src/client/index.ts';
import { RecentEvents } from '../../src/react/recent-events.ts';
import { type FeedOptions, type FeedSnapshot, StreamFeed } from '../../src/react/stream-feed.ts';
import { OrderServer } from './order-server.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function serve(): Promise<OrderServer> {
  const server = await OrderServer.start(() => '');
  cleanups.push(() => server.stop());
  return server;
}

/** A feed as a component has it, and what was handed over to `onBatch`. */
function feedOf(
  server: OrderServer,
  { stream = { topics: ['Order'] }, onBatch }: Partial<FeedOptions<EventBatch>> = {},
) {
  const batches: EventBatch[] = [];
  const options = { stream, onBatch: onBatch ?? ((batch: EventBatch) => void batches.push(batch)) };
  const feed = new StreamFeed<EventBatch, readonly Event[]>(
    new URL('events', server.url),
    options,
    new RecentEvents(10),
  );
  let listener = (): void => undefined;
  return {
    feed,
    batches,
    watch: (): (() => void) => {
      const close = feed.watch(() => listener());
      cleanups.push(close);
      return close;
    },
    /** Resolves when the component is told what is looked for. */
    told: (isIt: (snapshot: FeedSnapshot<readonly Event[]>) => boolean): Promise<void> =>
      new Promise((resolve) => {
        listener = () => isIt(feed.snapshot()) && resolve();
        listener();
      }),
  };
}

/** Lets so many microtasks pass. */
async function after(steps: number): Promise<void> {
  for (let step = 0; step < steps; step++) await undefined;
}

const keys = ({ value }: FeedSnapshot<readonly Event[]>): string => value.map(({ key }) => key).join(' ');

describe('a feed', () => {
  it('does nothing before it is watched, and asks nobody when it is left at once', async () => {
    const server = await serve();
    const { feed, watch, told } = feedOf(server);
    expect(feed.snapshot()).toMatchObject({ status: 'connecting', error: undefined, gap: undefined });
    watch()();
    watch();
    await told(({ status }) => status === 'live');
    expect(server.requests).toHaveLength(1);
  });

  it('goes on where it was, for who watches it again', async () => {
    const server = await serve();
    const { feed, watch, told, batches } = feedOf(server);
    await server.order('o-1', 'placed');
    const close = watch();
    await told((snapshot) => keys(snapshot) === 'o-1');
    close();
    await server.streams(0);
    await server.order('o-2', 'placed');
    watch();
    await told((snapshot) => keys(snapshot) === 'o-1 o-2');
    expect(batches.map(({ index }) => index)).toEqual([1, 2]);
    expect(feed.snapshot().gap).toBeUndefined();
  });

  it('takes what was on its way when it was left, and asks for it no more', async () => {
    const server = await serve();
    for (const key of ['o-1', 'o-2', 'o-3']) await server.order(key, 'placed');
    // Wherever between two batches it is left: nothing is lost, and nothing comes twice.
    for (let steps = 0; steps < 24; steps++) {
      const seen: number[] = [];
      const onBatch = ({ index }: EventBatch): void => {
        seen.push(index);
        if (index === 1) void after(steps).then(leave);
      };
      const { watch, told } = feedOf(server, { onBatch });
      const close = watch();
      let isLeft: () => void;
      const left = new Promise<void>((resolve) => (isLeft = resolve));
      const leave = (): void => {
        close();
        isLeft();
      };
      await left;
      watch();
      await told((snapshot) => keys(snapshot) === 'o-1 o-2 o-3');
      expect(seen, `left after ${steps} steps`).toEqual([1, 2, 3]);
    }
  });

  it('asks for the snapshot of a host, also when it was left before that was asked for', async () => {
    const server = await serve();
    const index = await server.order('o-1', 'placed');
    const { epoch } = server.broker.position;
    let asked = 0;
    const snapshot = () => ({ value: ++asked, index: index + 1, epoch });
    const { watch, told, batches } = feedOf(server, { stream: { topics: ['Order'], snapshot } });
    watch()();
    watch();
    await told(({ status }) => status === 'live');
    expect(batches).toEqual([{ index, events: [], snapshot: 1 }]);
    expect(asked).toBe(1);
  });

  it('tells its component once for all that came in one turn of the event loop', async () => {
    const server = await serve();
    for (let i = 1; i <= 50; i++) await server.order(`o-${i}`, 'placed');
    const { watch, told, batches } = feedOf(server);
    let times = 0;
    const isTold = (last: string) =>
      told((snapshot) => {
        times++;
        return keys(snapshot).endsWith(last);
      });
    watch();
    await isTold('o-50');
    await server.order('o-51', 'placed');
    await isTold('o-51');
    expect(batches).toHaveLength(51);
    expect(times).toBeLessThan(25);
  });

  it('takes that it was left for no end of its stream', async () => {
    const server = await serve();
    const { feed, watch, told } = feedOf(server);
    const close = watch();
    await told(({ status }) => status === 'live');
    close();
    await server.streams(0);
    expect(feed.snapshot()).toMatchObject({ status: 'live', error: undefined });
  });

  it('is the same snapshot until something changes', async () => {
    const server = await serve();
    const { feed, watch, told } = feedOf(server);
    watch();
    await told(({ status }) => status === 'live');
    expect(feed.snapshot()).toBe(feed.snapshot());
  });

  it('ends with what onBatch throws, and frees its connection', async () => {
    const server = await serve();
    await server.order('o-1', 'placed');
    const onBatch = (): void => {
      throw new Error('broken');
    };
    const { feed, watch, told } = feedOf(server, { onBatch });
    watch();
    await told(({ status, error }) => status === 'closed' && error !== undefined);
    expect(feed.snapshot().error).toEqual(new Error('broken'));
    await server.streams(0);
  });

  it('tells the gap of a server that was restarted', async () => {
    const server = await serve();
    await server.order('o-1', 'placed');
    const { watch, told } = feedOf(server, { stream: { topics: ['Order'], minDelayMs: 1 } });
    watch();
    await told((snapshot) => keys(snapshot) === 'o-1');
    await server.restart();
    await server.order('o-2', 'placed');
    await told(({ gap }) => gap?.reason === 'restarted');
  });

  it('refuses an URL that cannot be meant, where it is watched', async () => {
    const server = await serve();
    const feed = new StreamFeed(new URL('ftp://127.0.0.1/'), { stream: {} }, new RecentEvents(1));
    expect(() => feed.watch(() => undefined)).toThrow(TypeError);
    expect(server.requests).toEqual([]);
  });
});
