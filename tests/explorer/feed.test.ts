import { setImmediate } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { EventBatch, Gap } from '../../src/client/index.ts';
import { errorText } from '../../src/explorer/page/entry.ts';
import { Feed, type FeedListener, type FeedState } from '../../src/explorer/page/feed.ts';
import { StreamServer, type StreamServerOptions } from './stream-server.ts';

/** Writes down what a feed tells, and waits for it. */
class Recorder implements FeedListener {
  readonly indexes: number[] = [];
  /** Of these, what came while the feed listened. */
  readonly live: number[] = [];
  /** Keys of events; `-key` of what was removed; `current`. */
  readonly objects: string[] = [];
  readonly gaps: Gap[] = [];
  readonly troubles: string[] = [];
  readonly states: FeedState[] = [];
  recoveries = 0;
  onTold: () => void = () => undefined;

  onBatch({ index, events, removed = [], current }: EventBatch, isLive: boolean): void {
    this.indexes.push(index);
    if (isLive) this.live.push(index);
    for (const { key } of events) this.objects.push(key);
    for (const { key } of removed) this.objects.push(`-${key}`);
    if (current) this.objects.push('current');
    this.onTold();
  }
  onGap(gap: Gap): void {
    this.gaps.push(gap);
    this.onTold();
  }
  onTrouble(error: unknown): void {
    this.troubles.push(errorText(error));
    this.onTold();
  }
  onRecovery(): void {
    this.recoveries++;
    this.onTold();
  }
  onState(state: FeedState): void {
    this.states.push(state);
    this.onTold();
  }

  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.onTold = () => holds() && resolve();
      this.onTold();
    });
  }
}

const everything = { topics: [], namespaces: ['*'], index: 0, token: '', isState: false } as const;
const servers: StreamServer[] = [];
const feeds: Feed[] = [];

afterEach(async () => {
  for (const feed of feeds.splice(0)) feed.pause();
  for (const server of servers.splice(0)) await server.stop();
});

async function serve(options?: StreamServerOptions): Promise<StreamServer> {
  const server = await StreamServer.start(options);
  servers.push(server);
  return server;
}

function feedOf(server: StreamServer): { feed: Feed; told: Recorder } {
  const told = new Recorder();
  const feed = new Feed(`${server.url}/v1/event/stream`, told, async () => setImmediate());
  feeds.push(feed);
  return { feed, told };
}

/** So many steps of the reading later. */
async function pauseAndResume(feed: Feed, steps: number): Promise<void> {
  for (let step = 0; step < steps; step++) await Promise.resolve();
  feed.pause();
  await feed.resume();
}

describe('feed', () => {
  it('paused and resumed anywhere hands over every batch once and in order', async () => {
    const server = await serve();
    const { feed, told } = feedOf(server);
    feed.start(everything);
    const published: number[] = [];
    for (let round = 0; round < 12; round++) {
      for (let i = 0; i < 5; i++) published.push(await server.publish());
      await told.until(() => told.indexes.length >= published.length - 3);
      feed.pause();
      published.push(await server.publish());
      await feed.resume();
    }
    await told.until(() => told.indexes.length >= published.length);
    expect(told.indexes).toEqual(published);
    expect(told.gaps).toEqual([]);
    expect(told.troubles).toEqual([]);
  });

  it('paused and resumed while a batch is on its way hands it over once', async () => {
    const server = await serve();
    const published: number[] = [];
    for (let i = 0; i < 40; i++) published.push(await server.publish());
    for (let steps = 0; steps < 12; steps++) {
      const { feed, told } = feedOf(server);
      told.onBatch = ({ index }) => {
        if (told.indexes.push(index) % 10 === 0) void pauseAndResume(feed, steps);
        told.onTold();
      };
      feed.start(everything);
      await told.until(() => told.indexes.length >= published.length);
      expect(told.indexes).toEqual(published);
    }
  });

  it('paused holds no connection', async () => {
    const server = await serve();
    const { feed, told } = feedOf(server);
    feed.start(everything);
    await told.until(() => feed.state === 'live');
    feed.pause();
    await server.idle();
    expect(feed.state).toBe('paused');
  });

  it('tells what is published while it listens from what waited for it: at first, paused, and cut off', async () => {
    const server = await serve();
    const { feed, told } = feedOf(server);
    await server.publish();
    feed.start(everything);
    await told.until(() => told.indexes.length === 1);
    await server.publish();
    await told.until(() => told.indexes.length === 2);
    feed.pause();
    await server.publish();
    await feed.resume();
    await told.until(() => told.indexes.length === 3);
    await server.publish();
    await told.until(() => told.indexes.length === 4);
    expect(told.live).toEqual([2, 4]);
    await server.stop();
    await told.until(() => feed.state === 'waiting');
    const next = await serve({ port: server.port });
    await next.publish();
    await told.until(() => told.indexes.length === 5);
    await next.publish();
    await told.until(() => told.indexes.length === 6);
    // The indexes began anew with the server.
    expect(told.live).toEqual([2, 4, 2]);
  });

  it.each([true, false])('tells them apart in server-sent events too: %s', async (isSse) => {
    const server = await serve({ isSse });
    const { feed, told } = feedOf(server);
    await server.publish();
    feed.start(everything);
    await told.until(() => told.indexes.length === 1);
    await server.publish();
    await told.until(() => told.indexes.length === 2);
    expect([told.indexes, told.live]).toEqual([[1, 2], [2]]);
  });

  it('takes all for live where only what comes was asked for', async () => {
    const server = await serve();
    const { feed, told } = feedOf(server);
    await server.publish();
    feed.start({ ...everything, index: 'latest' });
    await told.until(() => feed.state === 'live');
    await server.publish();
    await told.until(() => told.live.length === 1);
    expect(told.indexes).toEqual([2]);
  });

  it('begun anew leaves what it read before behind', async () => {
    const server = await serve();
    const { feed, told } = feedOf(server);
    const first = await server.publish();
    const second = await server.publish();
    feed.start(everything);
    await told.until(() => told.indexes.length === 2);
    feed.start({ ...everything, index: second });
    await told.until(() => told.indexes.length === 3);
    expect(told.indexes).toEqual([first, second, second]);
    expect(feed.index).toBe(second);
  });

  it('tells an outage once, its end, and that the indexes began anew', async () => {
    const server = await serve();
    const { feed, told } = feedOf(server);
    for (let i = 0; i < 3; i++) await server.publish();
    feed.start(everything);
    await told.until(() => told.indexes.length === 3);
    await server.stop();
    await told.until(() => feed.state === 'waiting');
    const next = await serve({ port: server.port });
    const index = await next.publish();
    await told.until(() => told.indexes.length === 4);
    expect(told.gaps.map(({ reason }) => reason)).toEqual(['restarted']);
    expect(new Set(told.troubles).size).toBe(told.troubles.length);
    expect(told.recoveries).toBe(1);
    expect(told.indexes.at(-1)).toBe(index);
  });

  it('ends with the reason when its token is revoked, and does not ask with it again', async () => {
    const server = await serve({ withAcl: true });
    const { feed, told } = feedOf(server);
    await server.publish();
    feed.start({ ...everything, namespaces: ['default'], topics: ['Job'], token: 'reader-secret' });
    await told.until(() => told.indexes.length === 1);
    await server.revoke();
    await told.until(() => feed.state === 'ended');
    expect(told.troubles).toEqual([expect.stringMatching(/^acl_revoked: /)]);
    expect(server.requests).toBe(1);
  });

  it('ends with the reason for a filter that the server refuses', async () => {
    const server = await serve();
    const { feed, told } = feedOf(server);
    feed.start({ ...everything, topics: [':web'] });
    await told.until(() => feed.state === 'ended');
    expect(told.troubles).toEqual([expect.stringMatching(/^bad_request: .*topic/i)]);
  });

  it('reads a state, and after a pause what changed of it', async () => {
    const server = await serve();
    const { feed, told } = feedOf(server);
    for (const id of ['a', 'b', 'a']) await server.publish(id);
    feed.start({ ...everything, topics: ['Job'], isState: true });
    await told.until(() => told.objects.includes('current'));
    expect(told.objects).toEqual(['b', 'a', 'current']);
    feed.pause();
    await server.purge('b');
    for (const id of ['c', 'd', 'c']) await server.publish(id);
    await feed.resume();
    await told.until(() => told.objects.at(-1) === 'c');
    expect(told.objects.slice(3)).toEqual(expect.arrayContaining(['-b', 'd', 'c']));
    expect(told.objects.filter((key) => key === 'current')).toHaveLength(1);
    expect(told.gaps).toEqual([]);
  });
});
