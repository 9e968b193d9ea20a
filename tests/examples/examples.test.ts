import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { linesUntil, RunningExample } from './run-example.ts';

const running: RunningExample[] = [];
const start = (name: string, args?: readonly string[]): RunningExample => {
  const example = new RunningExample(name, args);
  running.push(example);
  return example;
};
afterEach(() => running.splice(0).forEach((example) => example.kill()));

const isBatch = (line: string) => line.includes('"Events"');

describe('the example that people start with', () => {
  it('streams the heartbeat and then, as JSON to the letter, the registration of the sample', async () => {
    const example = start('01-event-stream', ['--port', '0']);
    const [, origin] = await example.printed(/curl -sN '(http:\/\/[^/]+)\//);
    const lines = await linesUntil(`${origin}/v1/event/stream?index=7&topic=Node`, isBatch);
    const sample = readFileSync(new URL('../../examples/cluster/node-registration.json', import.meta.url), 'utf8');
    expect(lines).toEqual(['{}', JSON.stringify(JSON.parse(sample))]);
    expect(await example.stop()).toBe(0);
  });

  it('answers the four sample requests of the reference documentation', async () => {
    const example = start('01-event-stream', ['--port', '0']);
    const [, origin] = await example.printed(/curl -sN '(http:\/\/[^/]+)\//);
    const url = `${origin}/v1/event/stream`;
    const events = async (query: string) => {
      const batches = (await linesUntil(url + query, isBatch)).filter(isBatch);
      return batches.flatMap(
        (line) =>
          (JSON.parse(line) as { Events: { Topic: string; Namespace: string; Key: string; Index: number }[] }).Events,
      );
    };
    for (const { Namespace } of await events('')) expect(['', 'default']).toContain(Namespace);
    expect((await events('?namespace=*')).length).toBeGreaterThan(0);
    for (const { Topic, Index } of await events('?index=100&topic=Evaluation')) {
      expect(Topic).toBe('Evaluation');
      expect(Index).toBeGreaterThanOrEqual(100);
    }
    const node = 'ccc4ce56-7f0a-4124-b8b1-a4015aa82c40';
    const [first] = await events(`?topic=Node:${node}&topic=Deployment&topic=Job:web`);
    expect(first).toMatchObject({ Topic: 'Node', Key: node });
    expect(await example.stop()).toBe(0);
  });

  it('prints the jobs that there are, that they are current, and goes on', async () => {
    const example = start('01-event-stream', ['--port', '0']);
    const [, url = ''] = await example.printed(/curl -sN '(.*[?&]state=true)'/);
    expect(url).toMatch(/\?topic=Job&namespace=\*&state=true$/);
    let current = 0;
    const lines = await linesUntil(url, (line) => {
      if (line.includes('"Current"')) current = (JSON.parse(line) as { Current: { Index: number } }).Current.Index;
      return current > 0 && line.startsWith('{"Index"');
    });
    const at = lines.indexOf(`{"Current":{"Index":${current}},"Events":[]}`);
    const keys = lines.slice(1, at).flatMap((line) => {
      const { Events } = JSON.parse(line) as { Events: { Topic: string; Namespace: string; Key: string }[] };
      return Events.map(({ Topic, Namespace, Key }) => `${Topic} ${Namespace}/${Key}`);
    });
    expect(keys.length).toBeGreaterThanOrEqual(4);
    expect(new Set(keys).size).toBe(keys.length);
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ Events: [{ Topic: 'Job' }] });
    expect(await example.stop()).toBe(0);
  });

  it('says what is wrong when its port is taken', async () => {
    const first = start('01-event-stream', ['--port', '0']);
    const [, port = ''] = await first.printed(/127\.0\.0\.1:(\d+)\//);
    const second = start('01-event-stream', ['--port', port]);
    expect(await second.ended()).toBe(1);
    expect(second.output).toContain(`Cannot listen on 127.0.0.1:${port}`);
  });
});

describe('the examples that end by themselves', () => {
  it.each([
    ['02-in-process', /batch 2: o-3 for 70/],
    ['05-resume', /batch 2: o-2\nthe reader is restarted\nbatch 3: o-3/],
    ['12-worker-threads', /the worker's sum: 5050/],
    ['14-unit-testing', /^\S pass 1\n\S fail 0$/m],
  ])('%s does what it says', async (name, expected) => {
    const example = start(name);
    expect(await example.ended()).toBe(0);
    expect(example.output).toMatch(expected);
  });
});

describe('the examples that serve', () => {
  it.each(['03-node-http', '06-express', '07-fastify', '08-koa', '09-hono'])(
    '%s streams batches and ends when it is told to',
    async (name) => {
      const example = start(name);
      const lines = await linesUntil(await example.url(), isBatch);
      expect(lines[0]).toBe('{}');
      expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ Events: [{ Topic: 'Order' }] });
      expect(await example.stop()).toBe(0);
    },
  );

  it('04-acl ends the tenant’s stream when its policy is deleted, with the reason as the last line', async () => {
    const example = start('04-acl');
    const url = await example.url();
    expect((await fetch(url)).status).toBe(403);
    let asked: Promise<Response> | undefined;
    const remove = () => fetch(new URL('/v1/acl/policy/default-readers', url), { method: 'DELETE' });
    const headers = { 'X-Nomad-Token': 'tenant-secret' };
    const lines = await linesUntil(url, (line) => isBatch(line) && ((asked ??= remove()), false), headers);
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ Error: { Code: 'acl_revoked', Retry: 'resubscribe' } });
    expect((await asked)?.status).toBe(200);
    expect(example.output).not.toContain('tenant-secret\n');
    expect(await example.stop()).toBe(0);
  });

  it('10-browser-page serves a page and the same stream as server-sent events', async () => {
    const example = start('10-browser-page');
    const url = await example.url();
    expect(await (await fetch(new URL('/', url))).text()).toContain('EventSource');
    const lines = await linesUntil(url, (line) => line.startsWith('data:'), { Accept: 'text/event-stream' });
    expect(lines.at(-1)).toContain('"Events"');
    expect(await example.stop()).toBe(0);
  });

  it('11-websocket streams to a socket, changes its topics, and closes it for a bad request', async () => {
    const example = start('11-websocket');
    const { WebSocket } = await import('ws');
    const socket = new WebSocket((await example.url()).replace('http', 'ws').split(' ')[0] ?? '');
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send('{"topics":["Order"]}');
    await new Promise((resolve) =>
      socket.once('message', (data) => resolve(expect(String(data)).toContain('"Events"'))),
    );
    socket.send('{"topics":["Order:o-1"]}');
    await new Promise<void>((resolve) => {
      socket.on('message', (data) => String(data).startsWith('{"Index":1,') && resolve());
    });
    socket.send('not json');
    const code = await new Promise((resolve) => socket.once('close', resolve));
    expect(code).toBe(4400);
    expect(await example.stop()).toBe(0);
  });
});
