// The fragments of docs/shutdown.md, run.
import { EventEmitter, once } from 'node:events';
import http, { type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import express from 'express';
import { fastify } from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import { afterEach, describe, expect, it } from 'vitest';
import { Acl, EventBroker } from 'fenceline';
import { fastifyEventStream } from 'fenceline/fastify';
import { honoEventStream } from 'fenceline/hono';
import { eventStreamHandler } from 'fenceline/http';
import { koaEventStream } from 'fenceline/koa';
import { MemoryEventLog } from 'fenceline/testing';
import { checkLimits } from '../../src/core/broker/limits.ts';
import { read } from './documents.ts';

const guide = read('docs/shutdown.md');

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const port = 0;

/** A process that can be told to end without ending this one. */
class Process extends EventEmitter {
  readonly exited: Promise<number>;
  exit: (code: number) => void = () => undefined;

  constructor() {
    super();
    this.exited = new Promise((resolve) => (this.exit = resolve));
  }

  async kill(): Promise<void> {
    if (!this.emit('SIGTERM')) throw new Error('Nobody listens to SIGTERM.');
    const code = await this.exited;
    if (code !== 0) throw new Error(`It ended with ${code}.`);
  }
}

function stopping(server: Server, broker: EventBroker): () => Promise<void> {
  const process = new Process();
  async function stop(server: Server, broker: EventBroker): Promise<void> {
    server.close(); // first: nobody new connects, a balancer asks the next server
    await broker.close({ drainMs: 20_000 }); // each stream ends with the place to resume from
  }

  process.once('SIGTERM', () => void stop(server, broker).then(() => process.exit(0)));
  return () => process.kill();
}

/** Each mounts the stream in its own way, and says how it stops. */
const recipes: Record<string, (broker: EventBroker) => Promise<{ server: Server; stop(): Promise<void> }>> = {
  'node:http': async (broker) => {
    const server = http.createServer(eventStreamHandler({ broker }));
    server.listen(port);
    return { server, stop: stopping(server, broker) };
  },
  Koa: async (broker) => {
    const app = new Koa();
    app.use(koaEventStream({ broker }));
    const server = app.listen(port);
    return { server, stop: stopping(server, broker) };
  },
  Express: async (broker) => {
    const app = express();
    app.all('/v1/event/stream', eventStreamHandler({ broker }));
    const server = app.listen(port);
    return { server, stop: stopping(server, broker) };
  },
  Fastify: async (broker) => {
    const app = fastify();
    await app.register(fastifyEventStream, { broker });
    await app.listen({ port });

    async function stop(): Promise<void> {
      app.server.close();
      await broker.close({ drainMs: 20_000 });
      await app.close();
    }
    return { server: app.server, stop };
  },
  Hono: async (broker) => {
    const app = new Hono();
    app.all('/v1/event/stream', honoEventStream({ broker }));
    const server = serve({ fetch: app.fetch, port });
    return { server: server as Server, stop: stopping(server as Server, broker) };
  },
};

/** The lines of a stream, one by one. */
async function* linesOf(response: Response): AsyncGenerator<string> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const bytes of response.body as ReadableStream<Uint8Array>) {
    const text = decoder.decode(bytes, { stream: true });
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

describe.each(Object.entries(recipes))('the recipe for %s', (_, make) => {
  it('ends the open streams with their places, closes the listener, and has ended then', async () => {
    // All of them at the very beginning of their parts: the test does not wait for the drain.
    const broker = new EventBroker({ random: () => 0 });
    cleanups.push(() => broker.close());
    const { server, stop } = await make(broker);
    cleanups.push(() => server.closeAllConnections());
    if (!server.listening) await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/event/stream`;
    const lines = linesOf(await fetch(url));
    await broker.publish({ topic: 'Order', type: 'Placed', key: 'o-1', namespace: 'default', payload: {} });
    // `for await` would end the stream where it breaks off.
    for (let line = ''; !line.includes('o-1');) line = (await lines.next()).value ?? 'o-1';
    const closed = once(server, 'close');
    const ended = stop();
    let last = '';
    for await (const line of lines) last = line;
    expect(JSON.parse(last)).toMatchObject({ Error: { Code: 'closed', Retry: 'resume', Index: 1 } });
    await ended;
    // Whoever keeps a connection for later requests.
    server.closeAllConnections();
    await closed;
    await expect(fetch(url)).rejects.toThrow(/fetch failed/);
  });
});

describe('the guide about ending a server', () => {
  it('names every limit with its default', () => {
    const rows = [...guide.matchAll(/^\| `(\w+)`\s*\|\s*([\d,]+)( MiB)?/gm)];
    const shown = rows.map(([, name = '', number = '', unit]) => {
      return [name, Number(number.replaceAll(',', '')) * (unit === undefined ? 1 : 1024 * 1024)] as const;
    });
    expect(Object.fromEntries(shown)).toEqual(checkLimits());
  });

  it('spreads streams again and bounds clients as it says', async () => {
    const log = new MemoryEventLog();
    {
      const broker = new EventBroker({ log, maxStreamMs: 30 * 60_000 });
      cleanups.push(() => broker.close());
    }
    const told: unknown[] = [];
    {
      const log = { warn: (notice: object, text: string) => told.push({ ...notice, text }) };
      const broker = new EventBroker({
        limits: {
          subscriptions: 20_000, // all streams: past it, 503 with Retry-After
          subscriptionsPerToken: 20, // of one user
          bytesPerEvent: 64 * 1024, // what you publish of what users write
        },
      });
      broker.on('refused', ({ limit, accessorId }) => log.warn({ limit, accessorId }, 'refused'));
      cleanups.push(() => broker.close());
      const acl = Acl.fromRules([], { accessorId: '10.0.0.7', management: true });
      for (let i = 0; i < 20; i++) await broker.subscribe({ acl });
      await expect(broker.subscribe({ acl })).rejects.toMatchObject({ code: 'at_capacity' });
    }
    expect(told).toEqual([{ limit: 'subscriptionsPerToken', accessorId: '10.0.0.7', text: 'refused' }]);
  });
});
