import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A proxy that passes on the head of every answer, but a body only when it is whole; `text/event-stream` alone is let
 * through as it comes.
 */
export class HoldingProxy {
  readonly #server: Server;
  readonly #target: number;
  /** `Accept` of each request. */
  readonly accepted: (string | undefined)[] = [];
  /** Left out of what is passed on. */
  hiddenHeader = '';

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((incoming, answer) => this.#forward(incoming, answer));
  }

  static async open(target: number): Promise<HoldingProxy> {
    const proxy = new HoldingProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #forward({ url, headers }: IncomingMessage, answer: ServerResponse): void {
    this.accepted.push(headers.accept);
    const upstream = request({ host: '127.0.0.1', port: this.#target, path: url, headers, agent: false });
    upstream.on('response', (response) => {
      const { [this.hiddenHeader]: _, ...passed } = response.headers;
      answer.writeHead(response.statusCode ?? 502, passed).flushHeaders();
      if (response.headers['content-type'] === 'text/event-stream') response.pipe(answer);
      else response.resume();
    });
    // What is cut on one side is cut on the other.
    upstream.on('error', () => answer.destroy()).end();
    answer.on('close', () => upstream.destroy());
  }
}
