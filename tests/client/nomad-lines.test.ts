import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type EventBatch, type Position, streamEvents } from '../../src/client/index.ts';
import { type NomadWireEvent, NomadServer } from './nomad-server.ts';
import { seeded } from './random.ts';
import { VirtualClock } from './virtual-clock.ts';

/** Lines of a real server, in its order; the last ones are another server's, with lower indexes. */
const recorded = readFileSync(new URL('data/nomad-lines.ndjson', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as { readonly Index: number; readonly Events: readonly NomadWireEvent[] });
const restart = recorded.findIndex(({ Index }, i) => Index < (recorded[i - 1]?.Index ?? 0));
const oneRun = recorded.slice(0, restart);

function nomad() {
  const clock = new VirtualClock();
  const server = new NomadServer('2.0', clock, seeded(1));
  const open = (place: Partial<Position> = {}) =>
    streamEvents('http://nomad.test/', { fetch: server.fetch, clock, random: () => 1, ...place });
  const read = async (stream: ReturnType<typeof open>, count: number): Promise<EventBatch[]> => {
    const batches: EventBatch[] = [];
    for (let i = 0; i < count; i++) {
      const next = stream.next();
      await clock.advance(1_000);
      const { value } = await next;
      if (value) batches.push(value);
    }
    return batches;
  };
  return { server, open, read };
}

const keys = (batches: readonly EventBatch[]): string[] =>
  batches.map(({ index, events }) => `${index} ${events.map(({ topic, key }) => `${topic}/${key}`).join()}`);
const keysOf = (lines: typeof recorded): string[] =>
  lines.map(({ Index, Events }) => `${Index} ${Events.map(({ Topic, Key }) => `${Topic}/${Key}`).join()}`);

describe('lines that a real Nomad server sent', () => {
  it('hold several with one index, and are handed over all of them', async () => {
    const { server, open, read } = nomad();
    for (const { Index, Events } of oneRun) server.publish(Index, Events);
    const batches = await read(open(), oneRun.length);
    expect(new Set(oneRun.map(({ Index }) => Index)).size).toBeLessThan(oneRun.length);
    expect(keys(batches)).toEqual(keysOf(oneRun));
    expect(batches.some(({ gap }) => gap)).toBe(false);
  });

  it('are handed over once when the stream is cut after each, also between two with one index', async () => {
    const { server, open, read } = nomad();
    for (const { Index, Events } of oneRun) server.publish(Index, Events);
    const stream = open();
    const batches: EventBatch[] = [];
    for (const _ of oneRun) {
      batches.push(...(await read(stream, 1)));
      server.cut();
    }
    expect(keys(batches)).toEqual(keysOf(oneRun));
    expect(batches.some(({ gap }) => gap)).toBe(false);
  });

  it('are handed over once when the reader restarts after each, from a position that was kept as JSON', async () => {
    const { server, open, read } = nomad();
    for (const { Index, Events } of oneRun) server.publish(Index, Events);
    const batches: EventBatch[] = [];
    let kept = '{}';
    for (const _ of oneRun) {
      const stream = open(JSON.parse(kept) as Position);
      batches.push(...(await read(stream, 1)));
      kept = JSON.stringify(stream.position);
      stream.close();
    }
    expect(keys(batches)).toEqual(keysOf(oneRun));
  });
});

describe('of a server that tells no gaps', () => {
  const event = (key: string) => [{ Topic: 'Job', Type: 'JobRegistered', Key: key, Payload: {} }];
  const publish = (server: NomadServer, from: number, to: number): void => {
    for (let index = from; index <= to; index++) server.publish(index, event(`k${index}`));
  };

  it('what left its backlog is told as trimmed, with both ends: either may have had more', async () => {
    const { server, open, read } = nomad();
    publish(server, 1, 3);
    const stream = open();
    await read(stream, 3);
    server.cut();
    publish(server, 4, 149);
    const [batch] = await read(stream, 1);
    expect([batch?.index, batch?.gap]).toEqual([50, { from: 3, to: 50, reason: 'trimmed' }]);
  });

  it('a lower index than the last is told as a restart, and handed over', async () => {
    const { server, open, read } = nomad();
    publish(server, 45, 45);
    const stream = open();
    await read(stream, 1);
    server.restart();
    publish(server, 11, 44);
    const [batch] = await read(stream, 1);
    expect([batch?.index, batch?.gap]).toEqual([44, { from: 1, to: 45, reason: 'restarted' }]);
    publish(server, 45, 46);
    expect(keys(await read(stream, 2))).toEqual(['45 Job/k45', '46 Job/k46']);
  });

  it('another batch under the last index is told as a restart', async () => {
    const { server, open, read } = nomad();
    publish(server, 45, 45);
    const stream = open();
    await read(stream, 1);
    server.restart();
    server.publish(45, event('other'));
    expect(await read(stream, 1)).toMatchObject([{ index: 45, gap: { from: 1, to: 45, reason: 'restarted' } }]);
  });

  it('the batches of the last index come again where a position was kept without what was seen of it', async () => {
    const { server, open, read } = nomad();
    server.publish(7, event('a'));
    server.publish(7, event('b'));
    const first = open();
    await read(first, 1);
    const { seen, ...bare } = first.position;
    expect(seen?.length).toBe(1);
    expect(keys(await read(open(bare), 2))).toEqual(['7 Job/a', '7 Job/b']);
  });

  it('a gap goes to onGap, and ends the stream of a reader that wants none', async () => {
    const gaps: unknown[] = [];
    const { server, open, read } = nomad();
    publish(server, 50, 50);
    await read(open({ index: 5, onGap: (gap: unknown) => gaps.push(gap) } as Position), 1);
    expect(gaps).toEqual([{ from: 5, to: 50, reason: 'trimmed' }]);
    await expect(open({ index: 5, onGap: 'fail' } as unknown as Position).next()).rejects.toMatchObject({
      code: 'gap',
    });
  });
});
