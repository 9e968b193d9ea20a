// Orders that Alice may see until her right is taken away, and streams of them as lines.
import { once } from 'node:events';

import { Acl, defineTopics, EventBroker } from 'fenceline';

export const order = (n, payload = { n }) => ({ topic: 'Order', type: 'OrderPlaced', key: `o${n}`, payload });

/** A broker, what its mounts take, and how Alice loses her right. */
export function shop() {
  const topics = defineTopics({ Order: { requires: { namespace: 'read-orders' }, retain: 'latest' } });
  const broker = new EventBroker({ topics });
  const allowed = new Set(['alice']);
  const rightsOf = (user) => {
    const name = user || 'nobody';
    const capabilities = allowed.has(name) ? ['read-orders'] : [];
    return Acl.fromRules([{ namespace: { default: { capabilities } } }], { accessorId: name });
  };
  const revoke = () => {
    allowed.delete('alice');
    return broker.aclChanged({ token: 'alice' });
  };
  const publish = (n, payload) => broker.publish({ ...order(n, payload), namespace: 'default' });
  return { broker, rightsOf, revoke, publish };
}

/** A stream over HTTP, line by line. */
export class Lines {
  #reader;
  #abort = new AbortController();
  #text = '';
  response;

  static async open(url, headers = {}) {
    const lines = new Lines();
    lines.response = await fetch(url, { headers, signal: lines.#abort.signal });
    lines.#reader = lines.response.body?.pipeThrough(new TextDecoderStream()).getReader();
    return lines;
  }

  /** The next line that is no heartbeat and not blank; undefined at the end. */
  async next() {
    for (;;) {
      const line = await this.#line();
      if (line === undefined) return undefined;
      if (line !== '' && line !== '{}' && !line.startsWith(':')) return line;
    }
  }

  async json() {
    const line = await this.next();
    return line === undefined ? undefined : JSON.parse(line);
  }

  async heartbeat() {
    for (let line = await this.#line(); line !== '{}'; line = await this.#line())
      if (line === undefined) throw new Error('The stream has ended.');
  }

  leave() {
    this.#abort.abort();
  }

  async #line() {
    let end = this.#text.indexOf('\n');
    while (end < 0) {
      const { value, done } = await this.#reader.read();
      if (done) return undefined;
      this.#text += value;
      end = this.#text.indexOf('\n');
    }
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 1);
    return line;
  }
}

/** Waits until nobody reads. */
export async function deserted(broker) {
  while (broker.stats().subscriptions > 0) await once(broker, 'unsubscribe');
}
