import { once } from 'node:events';
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { eventStreamHandler } from '../../src/adapters/http.ts';
import { defineTopics, EventBroker, payloadOf } from '../../src/index.ts';

const topics = defineTopics({ Order: { payload: payloadOf<number>(), retain: 'latest' } });

/** The client as a page gets it, under the name `fenceline`. */
const script = buildSync({
  entryPoints: [fileURLToPath(new URL('../../src/client/index.ts', import.meta.url))],
  bundle: true,
  write: false,
  format: 'iife',
  globalName: 'fenceline',
  target: 'es2022',
}).outputFiles[0]?.text;

/** Keeps what a stream hands over where the tests find it. */
const page = `<!doctype html><title>tab</title><script src="/client.js"></script><script>
  const read = async (stream) => {
    Object.assign(window, { stream, got: [], states: [], failure: undefined });
    try {
      for await (const { index, events, gap, current } of stream)
        got.push({ index, gap, current, n: events.map(({ payload }) => payload) });
    } catch (error) {
      window.failure = error.code ?? error.message;
    }
  };
</script>`;

/** Serves a page with the client, and a stream. */
export class TabServer {
  readonly broker = new EventBroker({ topics });
  readonly requests: IncomingMessage[] = [];
  /** Requests for the stream are answered after it. */
  released: Promise<void> = Promise.resolve();
  /** Nobody is allowed to read any more. */
  isClosed = false;
  readonly #server: Server;
  #published = 0;

  private constructor() {
    const stream = eventStreamHandler({ broker: this.broker, heartbeatMs: 500 });
    this.#server = http.createServer((request, response) => {
      if (!request.url?.startsWith('/v1/event/stream')) return serveFile(request, response);
      this.requests.push(request);
      if (this.isClosed) return void response.writeHead(403).end();
      void this.released.then(() => stream(request, response));
    });
  }

  static async open(): Promise<TabServer> {
    const server = new TabServer();
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** The numbers that were published, from 1 on. */
  get numbers(): readonly number[] {
    return Array.from({ length: this.#published }, (_, i) => i + 1);
  }

  async publish(count: number): Promise<void> {
    for (let i = 0; i < count; i++)
      await this.broker.publish({
        topic: 'Order',
        type: 'Placed',
        key: `o-${this.#published % 7}`,
        payload: ++this.#published,
      });
  }

  /** Resolves when so many connections are open. */
  async connections(count: number): Promise<void> {
    while (this.broker.stats().subscriptions !== count) await new Promise(setImmediate);
  }

  /** Cuts every stream. */
  cut(): void {
    for (const { socket } of this.requests) socket.destroy();
  }

  async close(): Promise<void> {
    await this.broker.close();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

function serveFile({ url }: IncomingMessage, response: ServerResponse): void {
  const isScript = url === '/client.js';
  response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
  response.end(isScript ? script : page);
}
