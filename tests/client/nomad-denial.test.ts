import { describe, expect, it } from 'vitest';
import { type StreamOptions, type StreamState, streamEvents } from '../../src/client/index.ts';
import { batchLine, FakeServer } from './fake-server.ts';
import { nomadKinds, type NomadKind, NomadServer } from './nomad-server.ts';
import { seeded } from './random.ts';
import { failure, indexes, open } from './stream-setting.ts';
import { VirtualClock } from './virtual-clock.ts';

const event = (key: string) => ({ Topic: 'Job', Type: 'JobRegistered', Key: key, Namespace: 'default', Payload: {} });

function nomad(kind: NomadKind, options: StreamOptions) {
  const clock = new VirtualClock();
  const server = new NomadServer(kind, clock, seeded(1));
  const states: StreamState[] = [];
  const onState = (state: StreamState): void => void states.push(state);
  const random = seeded(2);
  const stream = streamEvents('http://nomad.test/', { fetch: server.fetch, clock, random, onState, ...options });
  return { clock, server, states, stream };
}

describe.each(nomadKinds)('Nomad %s', (kind) => {
  it('that denies the token twice in a row ends the stream, which never was live', async () => {
    const setting = nomad(kind, { token: 'bad' });
    setting.server.denied.add('bad');
    expect(await failure(setting)).toMatchObject({ code: 'permission_denied', retry: 'resubscribe' });
    expect(setting.server.requests.length).toBe(2);
    expect(setting.states.map(({ name }) => name)).toEqual(['waiting', 'connecting', 'closed']);
    expect(setting.clock.pending).toBe(0);
  });

  it('that deletes the token of an open stream is asked with a newer one, from where it was', async () => {
    const tokens = ['old', 'old', 'new'];
    const setting = nomad(kind, { token: () => tokens.shift() ?? 'new' });
    setting.server.publish(7, [event('a')]);
    expect(await indexes(setting, 1)).toEqual([7]);
    setting.server.revoke('old');
    setting.server.publish(7, [event('b')]);
    const next = setting.stream.next();
    await setting.clock.advance(300_000);
    const { value } = await next;
    expect([value?.index, value?.events[0]?.key, value?.gap]).toEqual([7, 'b', undefined]);
    expect(setting.server.tokens).toEqual(['old', 'old', 'new']);
  });
});

describe('a 200 that brings nothing', () => {
  it('and is cut at once is a broken connection, and no denial', async () => {
    const server = new FakeServer();
    for (let i = 0; i < 4; i++) server.ending([]);
    expect(await indexes(open(server.stream([batchLine(1)])), 1)).toEqual([1]);
  });

  it('is no denial from a server that names its epoch', async () => {
    const server = new FakeServer().stream([], 'e1');
    const setting = open(server, { minDelayMs: 100 });
    void setting.stream.next();
    for (let i = 0; i < 4; i++) {
      // Longer than a broken connection takes, shorter than the first heartbeat may.
      await setting.clock.advance(11_000);
      server.connections.at(-1)?.cut();
      await setting.clock.advance(1_000);
    }
    expect(setting.states.filter(({ name }) => name === 'waiting').length).toBe(4);
    expect(setting.states.every((state) => state.name !== 'waiting' || state.reason.code === 'network')).toBe(true);
    setting.stream.close();
  });
});
