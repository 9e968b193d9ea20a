import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { streamEvents } from '../../src/client/index.ts';
import { RunningExample } from './run-example.ts';

const running: RunningExample[] = [];
const folders: string[] = [];
afterEach(async () => {
  running.splice(0).forEach((example) => example.kill());
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const ROUNDS = process.env['NIGHTLY'] ? 25 : 2;

it('a client of the first example with --data has every batch once, however often the server is killed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fenceline-example-'));
  folders.push(folder);
  const port = await freePort();
  const start = async (): Promise<RunningExample> => {
    const example = new RunningExample('01-event-stream', ['--port', String(port), '--data', join(folder, 'events')]);
    running.push(example);
    await example.url();
    return example;
  };
  let example = await start();
  const url = `http://127.0.0.1:${port}/v1/event/stream`;
  const stream = streamEvents(url, { namespace: '*', minDelayMs: 1, maxDelayMs: 50 });
  const seen: number[] = [];
  let kills = 0;
  for await (const { index, gap } of stream) {
    expect(gap).toBeUndefined();
    seen.push(index);
    if (seen.length % 120 !== 0) continue;
    if (kills++ === ROUNDS) break;
    example.kill();
    await example.ended();
    example = await start();
  }
  // The log's indexes are dense, and the stream asked for everything.
  expect(seen).toEqual(seen.map((_, i) => i + 1));

  // What the runs that were killed left in the state is gone from it: the nodes are those of one cluster.
  const nodes = new Map<string, string>();
  for await (const { events, removed = [], current, gap } of streamEvents(url, { topics: ['Node'], state: true })) {
    expect(gap).toBeUndefined();
    for (const { key, payload } of events) nodes.set(key, (payload as { Node: { Name: string } }).Node.Name);
    for (const { key } of removed) nodes.delete(key);
    if (current) break;
  }
  expect(nodes.size).toBeGreaterThanOrEqual(3);
  expect(nodes.size).toBeLessThanOrEqual(4);
  expect(new Set(nodes.values()).size).toBe(nodes.size);
  expect(await example.stop()).toBe(0);
});
