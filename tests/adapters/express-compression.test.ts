import { describe, expect, it } from 'vitest';

import { indexOf, jobEvent, mountedBroker, notified, publishPast, wireJob } from './mounted-broker.ts';
import { gunzipped, randomText } from './gunzipped.ts';
import { compressedMount, mounts } from './mounts.ts';

describe('Express with compression', () => {
  const plain = mounts.filter(({ name }) => name === 'Express under compression');

  it.each([...plain, compressedMount])('compresses other answers: $name', async (mount) => {
    const { client } = await mountedBroker({ ...mount, path: '/text' });
    const { headers } = await client.ask({ headers: { 'accept-encoding': 'gzip' } });
    expect(headers).toMatchObject({ 'content-encoding': 'gzip' });
  });

  it.each(plain)('leaves the stream alone, whose events arrive at once', async (mount) => {
    const { broker, client } = await mountedBroker(mount);
    const stream = await client.open('', { 'accept-encoding': 'gzip' });
    await broker.publish(jobEvent(1));
    expect(await stream.object()).toEqual(wireJob(1, 1));
  });

  it('hands compressed events on at once where a host takes no-transform back', async () => {
    const { broker, client } = await mountedBroker(compressedMount);
    const stream = await gunzipped(client);
    expect(await stream.line()).toBe('{}');
    for (let n = 1; n <= 3; n++) {
      await broker.publish(jobEvent(n));
      expect(await stream.object()).toEqual(wireJob(n, n));
    }
    await broker.close();
    expect(await stream.object()).toMatchObject({ Error: { Code: 'closed' } });
    expect(await stream.line()).toBeUndefined();
  });

  it('counts what waits to be compressed: a client that does not read becomes unsynced', async () => {
    const mounted = await mountedBroker(compressedMount);
    const opened = notified(mounted.broker, 'subscribe');
    const reader = await gunzipped(mounted.client);
    const { subscription } = await opened;
    const healthy = await mounted.client.open();
    const last = await publishPast(mounted.broker, { reader, subscription }, healthy, 40, randomText);
    expect(await reader.line()).toBe('{}');
    for (let index = 1; index <= last; index++) expect(indexOf(await reader.line())).toBe(index);
  });
});
