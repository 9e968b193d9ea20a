import { createGunzip } from 'node:zlib';
import { expect, it, onTestFinished } from 'vitest';

import { describeWithNginx, Nginx } from '../servers/nginx.ts';
import { LineReader } from './line-reader.ts';
import { jobEvent, mountedBroker, subscriptionsAre, wireJob, type MountedBroker } from './mounted-broker.ts';
import { mounts } from './mounts.ts';
import { StreamClient } from './stream-client.ts';

const [mount] = mounts;

/** A broker whose client reaches it through nginx alone. */
async function behindNginx(options: { readonly compression?: boolean } = {}): Promise<MountedBroker> {
  if (!mount) throw new Error('There is no mount.');
  const mounted = await mountedBroker(mount, {}, options);
  const nginx = await Nginx.start({ ports: [mounted.server.port] });
  const client = new StreamClient('http1', nginx.port, mount.path);
  onTestFinished(async () => {
    client.close();
    await nginx.stop();
  });
  return { ...mounted, client };
}

describeWithNginx('behind nginx with its defaults', () => {
  it('every event arrives at once', async () => {
    const { broker, client } = await behindNginx();
    const stream = await client.open();
    for (let n = 1; n <= 3; n++) {
      await broker.publish(jobEvent(n));
      expect(await stream.object()).toEqual(wireJob(n, n));
    }
    await broker.close();
    expect(await stream.object()).toMatchObject({ Error: { Code: 'closed' } });
    expect(await stream.line()).toBeUndefined();
  });

  it.each([
    ['application/json', 'by nginx'],
    ['text/event-stream', 'by nginx'],
    ['application/json', 'by us'],
    ['text/event-stream', 'by us'],
  ])('every event of %s arrives at once, compressed %s', async (type, by) => {
    const { broker, client } = await behindNginx({ compression: by === 'by us' });
    const { headers, body } = await client.ask({ headers: { 'accept-encoding': 'gzip', accept: type } });
    expect(headers).toMatchObject({ 'content-encoding': 'gzip', 'content-type': type });
    const reader = new LineReader(body.stream.pipe(createGunzip()));
    for (let n = 1; n <= 3; n++) {
      await broker.publish(jobEvent(n));
      await untilLine(reader, `"Index":${n},`);
    }
  });

  it('errors pass as they are', async () => {
    const { broker, client } = await behindNginx();
    const bad = await client.ask({ query: '?index=soon' });
    expect(bad.status).toBe(400);
    expect(JSON.parse(await bad.body.rest())).toMatchObject({ Error: { Code: 'bad_request' } });
    await broker.close();
    const closed = await client.ask();
    expect(closed.status).toBe(503);
    expect(closed.headers).toMatchObject({ 'retry-after': expect.stringMatching(/^[123]$/) as string });
  });

  it('a client that leaves frees its subscription', async () => {
    const { broker, client } = await behindNginx();
    const stream = await client.open();
    stream.leave();
    await subscriptionsAre(broker, 0);
  });
});

async function untilLine(reader: LineReader, part: string): Promise<void> {
  for (let line = await reader.line(); ; line = await reader.line()) {
    if (line === undefined) throw new Error(`The stream ended before ${part}.`);
    if (line.includes(part)) return;
  }
}
