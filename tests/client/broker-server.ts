import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventStreamHandler } from '../../src/adapters/http.ts';
import { EventBroker } from '../../src/index.ts';
import { type ChaosServer, payloadOf, type Published } from './stream-server.ts';

/** The broker and its handler, as a host runs them. */
export class BrokerServer implements ChaosServer {
  readonly published: Published[] = [];
  readonly #maxHeld: number;
  readonly #server: Server;
  #broker: EventBroker;
  #handler: ReturnType<typeof eventStreamHandler>;
  #index = 0;

  private constructor(maxHeld: number) {
    this.#maxHeld = maxHeld;
    this.#broker = this.#newBroker();
    this.#handler = this.#newHandler();
    this.#server = createServer((request, response) => this.#handler(request, response));
  }

  static async open(this: void, maxHeld: number): Promise<BrokerServer> {
    const server = new BrokerServer(maxHeld);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get epoch(): string {
    return this.#broker.stats().epoch;
  }

  publish(step: number): void {
    for (let skipped = 1; skipped < step; skipped++)
      void this.#broker.publish(this.#event('Other', -1), { index: ++this.#index });
    const batch = { n: this.published.length, epoch: this.epoch, index: ++this.#index };
    this.published.push(batch);
    void this.#broker.publish(this.#event('T', batch.n), { index: batch.index });
  }

  /** Nothing: its heartbeats come by themselves. */
  beat(): void {}

  restart(): void {
    void this.#broker.close();
    this.#index = 0;
    this.#broker = this.#newBroker();
    this.#handler = this.#newHandler();
  }

  async close(): Promise<void> {
    await this.#broker.close();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #newBroker(): EventBroker {
    return new EventBroker({ buffer: { maxBatches: this.#maxHeld } });
  }

  #newHandler(): ReturnType<typeof eventStreamHandler> {
    return eventStreamHandler({ broker: this.#broker, heartbeatMs: 20 });
  }

  #event(topic: string, n: number) {
    return { topic, type: 't', key: this.epoch, payload: n < 0 ? null : payloadOf(n) };
  }
}
