import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { EventBroker } from '../../src/index.ts';
import { eventStreamHandler } from '../../src/adapters/http.ts';
import { streamEvents, StreamError } from '../../src/client/index.ts';
import { histories, patienceMs } from './histories.ts';
import { history, type History, type Published, type Step } from './state-history.ts';
import { differenceOf, Mirror, StateModel, type ModelRequest } from './state-model.ts';
import { aclOf, newEventOf, topics } from './state-topics.ts';

interface Reader {
  readonly request: ModelRequest;
  readonly mirror: Mirror;
  /** It has seen what was published last, or its rights are gone. */
  readonly done: Promise<unknown>;
}

/** What all see: the last of a history. */
const last: Published = { topic: 'Job', namespace: 'a', key: '2', level: 0, tag: 't1', isGone: false };

/** The broker, its handler and its client, over sockets that are cut at any moment. */
class HttpWorld {
  readonly #model = new StateModel({ namespaces: ['a'], level: 1 });
  readonly #broker;
  readonly #server: Server;
  readonly #readers: Reader[] = [];
  readonly #abort = new AbortController();
  #end = Infinity;

  constructor({ maxBatches, maxRemovals }: History) {
    this.#broker = new EventBroker({ topics, buffer: { maxBatches, maxRemovals } });
    const pin = (): { readonly scope: 'allowed' } => ({ scope: 'allowed' });
    const acl = () => aclOf(this.#model.rights);
    this.#server = createServer(eventStreamHandler({ broker: this.#broker as never, acl, pin }));
  }

  async run(steps: readonly Step[]): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    try {
      for (const step of steps) await this.#take(step);
      this.#end = this.#model.head + 1;
      await this.#publish([last]);
      await Promise.all(this.#readers.map(({ done }) => done));
      for (const reader of this.#readers) this.#compare(reader);
    } finally {
      this.#abort.abort();
      await this.#broker.close();
      this.#server.closeAllConnections();
      this.#server.close();
    }
  }

  async #take(step: Step): Promise<void> {
    // What is on its way over the sockets goes on.
    await new Promise(setImmediate);
    if (step.do === 'publish') return this.#publish(step.events);
    if (step.do === 'burst') return this.#publish([{ ...step.event, level: step.count % 3 }]);
    if (step.do === 'cut') return this.#server.closeAllConnections();
    if (step.do === 'open') return this.#open(step.request);
    if (step.do !== 'change') return;
    this.#model.change(step.rights);
    await this.#broker.aclChanged({ token: 'alice' });
  }

  async #publish(events: readonly Published[]): Promise<void> {
    const index = this.#model.head + 1;
    for (const event of events) this.#model.events.push({ ...event, index });
    await this.#broker.publish(events.map(newEventOf));
  }

  #open(request: ModelRequest): void {
    // One that is denied ends; the others see the last event.
    if (!request.topics.some((topic) => ['Job', 'Job:2', 'Job:t1', '*'].includes(topic))) return;
    const { port } = this.#server.address() as AddressInfo;
    const stream = streamEvents(`http://127.0.0.1:${port}/`, {
      topics: request.topics,
      namespace: request.namespaces,
      state: true,
      minDelayMs: 1,
      maxDelayMs: 5,
      signal: this.#abort.signal,
    });
    const mirror = new Mirror();
    const read = async (): Promise<void> => {
      try {
        for await (const batch of stream) {
          mirror.take(batch);
          if (mirror.isCurrent && batch.index >= this.#end) return;
        }
      } catch (error) {
        if (!StreamError.is(error)) throw error;
        throw new Error(`The stream ended: ${error.code}`, { cause: error });
      }
    };
    this.#readers.push({ request, mirror, done: read() });
  }

  #compare({ request, mirror }: Reader): void {
    const wrong = differenceOf(mirror.held, this.#model.stateAt(this.#model.head, request, this.#model.rights));
    if (wrong !== '') throw new Error(wrong);
  }
}

describe('who reads the state over HTTP, through the client', () => {
  it('holds just that in the end, over sockets that are cut', { timeout: patienceMs }, () =>
    fc.assert(
      fc.asyncProperty(history, (one) => new HttpWorld(one).run(one.steps)),
      histories(40),
    ),
  );
});
