import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventStreamHandler } from '../../src/adapters/http.ts';
import { Acl, AclDenial, defineTopics, EventBroker, payloadOf } from '../../src/index.ts';

export interface Order {
  readonly step: string;
}

export const topics = defineTopics({
  Order: { payload: payloadOf<Order>(), requires: 'anyone', retain: 'latest', removedBy: ['OrderDelivered'] },
  News: { payload: payloadOf<string>(), requires: 'anyone' },
});

/** Orders as a stream at `/events`, on a real socket, and a page at `/`. */
export class OrderServer {
  /** Everybody may read, until it is false. */
  isAllowed = true;
  broker = new EventBroker({ topics });
  /** Path and query of each request for the stream. */
  readonly requests: string[] = [];
  readonly #page: () => string;
  readonly #server: http.Server;
  #stream = this.#newStream();
  #isStopped = false;

  private constructor(page: () => string) {
    this.#page = page;
    this.#server = http.createServer((request, response) => {
      if (!request.url?.startsWith('/events')) {
        response.setHeader('Content-Type', 'text/html; charset=utf-8').end(this.#page());
        return;
      }
      this.requests.push(request.url);
      void this.#stream(request, response);
    });
  }

  /** @param page HTML, made anew for each request */
  static async start(page: () => string): Promise<OrderServer> {
    const server = new OrderServer(page);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  order(key: string, step: string): Promise<number> {
    const type = step === 'delivered' ? 'OrderDelivered' : 'OrderMoved';
    return this.broker.publish({ topic: 'Order', type, key, namespace: 'default', payload: { step } });
  }

  /** Cuts every connection, as a network does. */
  cut(): void {
    this.#server.closeAllConnections();
  }

  /** Nobody may read from now on. */
  async deny(): Promise<void> {
    this.isAllowed = false;
    await this.broker.aclChanged({ token: 'reader' });
  }

  /** A new process on the same port: a new run of indexes, with nothing of the old one. */
  async restart(): Promise<void> {
    await this.broker.close();
    this.broker = new EventBroker({ topics });
    this.#stream = this.#newStream();
  }

  /** Resolves when so many streams are open. */
  streams(count: number): Promise<void> {
    const { broker } = this;
    return new Promise((resolve) => {
      const check = (): void => {
        if (broker.stats().subscriptions !== count) return;
        broker.off('subscribe', check).off('unsubscribe', later);
        resolve();
      };
      const later = (): void => void setImmediate(check);
      broker.on('subscribe', check).on('unsubscribe', later);
      check();
    });
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    await this.broker.close();
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  #newStream() {
    return eventStreamHandler({
      broker: this.broker,
      acl: () => {
        if (!this.isAllowed) throw new AclDenial('unknown', 'reader');
        return Acl.fromRules([{ namespace: { default: { capabilities: [] } } }], { accessorId: 'reader' });
      },
    });
  }
}
