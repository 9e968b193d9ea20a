import { describe, expect, it } from 'vitest';

import { acceptsGzip } from '../../../src/adapters/compression/compressor.ts';
import { defineTopics } from '../../../src/index.ts';
import { indexOf, jobEvent, mountedBroker, notified, publishPast, wireJob } from '../mounted-broker.ts';
import { gunzipped, randomText } from '../gunzipped.ts';
import { mounts } from '../mounts.ts';

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

const varying = { vary: 'Accept-Encoding' };

describe.each(mounts)('a compressed stream on $name', (mount) => {
  it('gives each event as it is published, to who was there and who comes later, and ends whole', async () => {
    const { broker, client } = await mountedBroker(mount, {}, { compression: true });
    const first = await gunzipped(client, varying);
    expect(await first.line()).toBe('{}');
    for (const n of range(1, 30)) {
      await broker.publish(jobEvent({ n, text: 'é'.repeat(50) }));
      expect(await first.object()).toEqual(wireJob(n, { n, text: 'é'.repeat(50) }));
    }
    const second = await gunzipped(client, varying);
    expect(await second.line()).toBe('{}');
    for (const n of range(1, 30)) expect(await second.object()).toMatchObject({ Index: n });
    for (const n of range(31, 60)) {
      await broker.publish(jobEvent({ n }));
      for (const stream of [first, second]) expect(await stream.object()).toEqual(wireJob(n, { n }));
    }
    await broker.close();
    for (const stream of [first, second]) {
      expect(await stream.object()).toMatchObject({ Error: { Code: 'closed' } });
      expect(await stream.line()).toBeUndefined();
    }
  });

  it('gives heartbeats', async () => {
    const { client } = await mountedBroker(mount, {}, { compression: true, heartbeatMs: 10 });
    expect(await (await gunzipped(client, varying)).objects(4)).toEqual([{}, {}, {}, {}]);
  });

  it('is compressed for who accepts it, and for nobody else', async () => {
    const { client } = await mountedBroker(mount, {}, { compression: true });
    for (const accepted of [undefined, 'identity', 'br', 'gzip;q=0, br']) {
      const { headers, body } = await client.ask({ headers: accepted ? { 'accept-encoding': accepted } : {} });
      expect(headers).toMatchObject({ vary: 'Accept-Encoding' });
      expect(headers).not.toHaveProperty('content-encoding');
      expect(await body.line()).toBe('{}');
    }
  });

  it('a client that does not read becomes unsynced, is told its gap, and decodes all that it gets', async () => {
    const mounted = await mountedBroker(mount, { buffer: { maxBatches: 20 } }, { compression: true });
    const opened = notified(mounted.broker, 'subscribe');
    const reader = await gunzipped(mounted.client, varying);
    const { subscription } = await opened;
    const healthy = await mounted.client.open();
    const last = await publishPast(mounted.broker, { reader, subscription }, healthy, 40, randomText);
    expect(await reader.line()).toBe('{}');
    let at = 0;
    let gaps = 0;
    while (at < last) {
      const line = (await reader.line()) ?? '';
      if (line.startsWith('{"Gap"')) {
        const { Gap } = JSON.parse(line) as { Gap: { From: number; To: number } };
        expect(Gap.From).toBe(at + 1);
        at = Gap.To;
        gaps++;
      } else expect(indexOf(line)).toBe(++at);
    }
    expect(gaps).toBeGreaterThan(0);
    await mounted.broker.publish(jobEvent('after'));
    expect(await reader.object()).toEqual(wireJob(last + 1, 'after'));
  });

  it('no stream that asks for a topic which forbids it is compressed', async () => {
    const topics = defineTopics({
      Job: { requires: 'anyone' },
      Secret: { requires: 'anyone', compression: false },
      Hidden: { requires: 'anyone', aliasOf: 'Secret', types: ['Made'] },
    });
    const { client } = await mountedBroker(mount, { topics }, { compression: true });
    const encodingOf = async (query: string) => {
      const { headers } = await client.ask({ query, headers: { 'accept-encoding': 'gzip' } });
      return headers['content-encoding'];
    };
    expect(await encodingOf('?topic=Job')).toBe('gzip');
    for (const query of [
      '?topic=Secret',
      '?topic=Secret:key',
      '?topic=Hidden',
      '?topic=Job&topic=Secret',
      '?topic=*',
      '',
    ])
      expect(await encodingOf(query), query).toBeUndefined();
  });
});

describe('the header Accept-Encoding', () => {
  it.each([
    ['gzip', true],
    ['GZIP', true],
    ['x-gzip', true],
    ['br, gzip', true],
    ['gzip;q=0.5', true],
    ['gzip; q=1.000', true],
    ['*', true],
    ['*;q=0.1', true],
    ['gzip;q=0', false],
    ['gzip;q=0.000', false],
    ['gzip; q=0, *', false],
    ['gzip ; q=0, *', false],
    ['gzip ; q=0.5', true],
    ['*;q=0', false],
    ['gzipped', false],
    ['identity, br', false],
    ['', false],
    [undefined, false],
  ])('%s', (header, isAccepted) => {
    expect(acceptsGzip(header)).toBe(isAccepted);
  });
});
