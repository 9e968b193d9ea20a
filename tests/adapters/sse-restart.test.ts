import { createServer } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';

import { sseHandler } from '../../src/adapters/sse.ts';
import { EventBroker } from '../../src/index.ts';
import { MemoryEventLog } from '../../src/testing/index.ts';
import { jobEvent, mountedBroker } from './mounted-broker.ts';
import { MountedServer } from './mounted-server.ts';
import type { LineReader } from './line-reader.ts';
import { forNode, type Mount } from './mounts.ts';

const mount: Mount = {
  name: 'sseHandler',
  protocol: 'http1',
  path: '/events',
  start: (options) => MountedServer.listening(createServer(sseHandler(forNode(options))).listen(0, '127.0.0.1')),
};

/** The id of the next event that has one, and whether a gap was told before it. */
async function nextId(reader: LineReader): Promise<{ readonly id: string; readonly hasGap: boolean }> {
  let hasGap = false;
  for (;;) {
    const line = await reader.line();
    if (line === undefined) throw new Error('The stream has ended.');
    hasGap ||= line === 'event: gap';
    if (line.startsWith('id: ')) return { id: line.slice(4), hasGap };
  }
}

describe('server-sent events of a log that was replaced', () => {
  // The format of a delivery is fixed when it begins, and so is the epoch in its ids.
  it('have ids of the new epoch, from which a page resumes', async () => {
    const log = new MemoryEventLog();
    onTestFinished(() => log.close());
    const { broker, client } = await mountedBroker(mount, { log });
    await broker.publish(jobEvent('before'));
    const { body } = await client.ask();
    expect(await nextId(body)).toEqual({ id: `${broker.epoch}:1`, hasGap: false });
    log.recreate();
    for (const n of [1, 2]) await broker.publish(jobEvent(n));
    const first = await nextId(body);
    expect(first).toEqual({ id: `${broker.epoch}:1`, hasGap: true });
    const resumed = await client.ask({ headers: { 'last-event-id': first.id } });
    expect(await nextId(resumed.body)).toEqual({ id: `${broker.epoch}:2`, hasGap: false });
  });

  // The oldest index is looked up by the index that was asked for, which is of the epoch before.
  it('begin at its oldest batch for a page that had come further in the one before', async () => {
    const log = new MemoryEventLog();
    onTestFinished(() => log.close());
    const earlier = new EventBroker({ log: log.share() });
    for (const n of [1, 2, 3]) await earlier.publish(jobEvent(n));
    await earlier.close();
    const { broker, client } = await mountedBroker(mount, { log });
    const { body } = await client.ask({ headers: { 'last-event-id': 'before:9' } });
    await broker.publish(jobEvent(4));
    expect(await nextId(body)).toEqual({ id: `${broker.epoch}:1`, hasGap: true });
  });
});
