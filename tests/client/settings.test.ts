import { describe, expect, it } from 'vitest';

import type { StreamOptions } from '../../src/client/index.ts';
import { checks } from '../../src/client/option-checks.ts';
import { HostSnapshots } from '../../src/client/snapshots.ts';
import { settingsOf } from '../../src/client/stream-parts.ts';
import { deadAfterMs } from '../../src/client/stream-settings.ts';

describe('the options of a stream', () => {
  it.each<[StreamOptions, string]>([
    [{ snapshot: 7 } as never, 'snapshot must be a function; got 7.'],
    [{ parse: 'json' } as never, 'parse must be a function; got "json".'],
    [{ credentials: 'always' } as never, 'credentials must be "omit", "same-origin" or "include"; got "always".'],
    [
      { retryStatuses: 404 } as never,
      'retryStatuses must be a list of statuses from 300 to 599, such as [404]; got 404.',
    ],
    [{ retryStatuses: [404, 200] }, 'such as [404]; got 200.'],
    [{ retryStatuses: ['404'] } as never, 'got "404".'],
    [{ topics: null } as never, 'topics must be a list such as ["Job:web"]'],
    [{ snapshot: () => ({ value: 1, index: 1 }), state: true }, 'state and snapshot exclude each other'],
    [{ state: true, index: 'latest' }, 'state needs an index'],
    [{ minDelayMs: 0 }, 'minDelayMs must be a number above 0; got 0.'],
    [{ maxLineBytes: Number.NaN }, 'maxLineBytes must be a number above 0; got NaN.'],
    [{ heartbeatMs: '60' } as never, 'heartbeatMs must be a number above 0; got "60".'],
    [{ heartbeatMs: -1 }, 'heartbeatMs must be a number above 0; got -1.'],
  ])('are refused where they cannot be meant: %j', (options, message) => {
    const call = () => settingsOf(options, { checks }, { state: { name: 'connecting' }, reconnect() {} });
    expect(call).toThrow(TypeError);
    expect(call).toThrow(message);
  });

  it('say when a silent peer is dead: after two and a half heartbeats, by the option before the server', () => {
    expect([undefined, 5000, 0].map((ms) => deadAfterMs({}, ms))).toEqual([75_000, 12_500, Infinity]);
    expect([undefined, 5000, 0].map((ms) => deadAfterMs({ heartbeatMs: 1000 }, ms))).toEqual([2500, 2500, 2500]);
  });
});

describe('a snapshot', () => {
  it.each([[{}], [{ index: -1 }], [{ index: 1.5 }], [{ index: 1, epoch: 7 }], [undefined]])(
    'that cannot be gone on from is none: %j',
    async (answer) => {
      const snapshots = new HostSnapshots(() => answer as never);
      await expect(snapshots.take()).rejects.toMatchObject({ code: 'snapshot_failed', retry: 'resume' });
    },
  );

  it('says where to go on, and carries the gap for which it was asked again', async () => {
    const snapshots = new HostSnapshots(() => ({ value: 'v', index: 8, epoch: 'e' }));
    const gap = { from: 2, to: 5, reason: 'trimmed' } as const;
    expect(snapshots.missing(gap)).toMatchObject({ code: 'gap', retry: 'resume', gap });
    const position = { index: 8, epoch: 'e' };
    const batch = { index: 7, events: [], snapshot: 'v' };
    const late = await snapshots.take();
    const inTime = await snapshots.take();
    expect(inTime()).toEqual({ position, batch: { ...batch, gap } });
    expect((await snapshots.take())()).toEqual({ position, batch });
    expect(late()).toEqual({ position, batch });
  });
});
