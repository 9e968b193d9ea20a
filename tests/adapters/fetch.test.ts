import { EventEmitter, getEventListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { fetchHandler } from '../../src/adapters/fetch.ts';
import { eventStreamHandler } from '../../src/adapters/http.ts';
import { EventBroker, type Subscription } from '../../src/index.ts';
import { indexOf, jobEvent, LARGE_BYTES, notified } from './mounted-broker.ts';

const url = 'http://events.example/v1/event/stream';

/** The chunks of a body as text, when they are asked for. */
class BodyReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();

  constructor({ body }: Response) {
    if (body === null) throw new Error('There is no body.');
    this.#reader = body.getReader();
  }

  async text(): Promise<string | undefined> {
    const { value, done } = await this.#reader.read();
    return done ? undefined : this.#decoder.decode(value);
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}

async function opened(broker: EventBroker, init?: RequestInit): Promise<[Response, Subscription]> {
  const notice = notified(broker, 'subscribe');
  const response = await fetchHandler({ broker })(new Request(url, init));
  return [response, (await notice).subscription];
}

describe('a response of Node behind a bridge', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  it('is let go when its peer does not read the end of the stream within five seconds', async () => {
    const broker = new EventBroker();
    const outgoing = Object.assign(new EventEmitter(), { destroyed: false, destroy: vi.fn<() => void>() });
    await fetchHandler({ broker })(new Request(url), { incoming: {}, outgoing });
    await broker.close();
    vi.advanceTimersByTime(4999);
    expect(outgoing.destroy).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(outgoing.destroy).toHaveBeenCalledOnce();
  });
});

describe("a request's signal", () => {
  it('frees the subscription, and is left alone on Deno, which warns of who listens to it', async () => {
    const broker = new EventBroker();
    const controller = new AbortController();
    const request = new Request(url, { signal: controller.signal });
    await fetchHandler({ broker })(request, { remoteAddr: {}, completed: Promise.resolve() });
    expect(getEventListeners(request.signal, 'abort')).toHaveLength(0);
    await fetchHandler({ broker })(request);
    expect(broker.stats().subscriptions).toBe(2);
    controller.abort();
    expect(broker.stats().subscriptions).toBe(1);
  });
});

describe('a body of fetchHandler', () => {
  it('that is cancelled frees its subscription, which harms no other', async () => {
    const broker = new EventBroker();
    const [response, subscription] = await opened(broker);
    const other = new BodyReader((await opened(broker))[0]);
    const body = new BodyReader(response);
    expect(await body.text()).toBe('{}\n');
    await body.cancel();
    expect(subscription.state).toBe('closed');
    expect(broker.stats().subscriptions).toBe(1);
    await broker.publish(jobEvent(1));
    expect(await other.text()).toBe('{}\n');
    expect(indexOf(await other.text())).toBe(1);
  });

  it('ends when its request is aborted, and frees its subscription', async () => {
    const broker = new EventBroker();
    const gone = new AbortController();
    const [response] = await opened(broker, { signal: gone.signal });
    const body = new BodyReader(response);
    gone.abort();
    expect(broker.stats().subscriptions).toBe(0);
    expect(await body.text()).toBe('{}\n');
    expect(await body.text()).toBeUndefined();
  });

  it('is none for a request that was aborted before', async () => {
    const broker = new EventBroker();
    const response = await fetchHandler({ broker })(new Request(url, { signal: AbortSignal.abort() }));
    expect(response.status).toBeGreaterThanOrEqual(500);
    expect(broker.stats().subscriptions).toBe(0);
  });

  it('that nobody reads takes a bounded amount, and all the rest once it is read', async () => {
    const broker = new EventBroker({ flush: { maxShare: 1 } });
    const [response, subscription] = await opened(broker);
    const last = 40;
    for (let n = 1; n <= last; n++) {
      await broker.publish(jobEvent('x'.repeat(LARGE_BYTES)));
      await nextTurn();
    }
    expect(subscription.delivery?.isBlocked).toBe(true);
    expect(subscription.position).toBeLessThanOrEqual(2);
    const body = new BodyReader(response);
    let text = (await body.text()) ?? '';
    while (text.match(/\n/g)?.length !== last + 1) text += await body.text();
    expect(text.trimEnd().split('\n').slice(1).map(indexOf)).toEqual(Array.from({ length: last }, (_, n) => n + 1));
  });

  it('ends with the reason as its last line, after what was read', async () => {
    const broker = new EventBroker();
    const body = new BodyReader((await opened(broker))[0]);
    await broker.close();
    expect(await body.text()).toBe('{}\n');
    expect(JSON.parse((await body.text()) ?? '')).toMatchObject({ Error: { Code: 'closed' } });
    expect(await body.text()).toBeUndefined();
  });

  it.each(['a\r\nSet-Cookie: b', 'ü', '日', 'a b', ''])(
    'is none for an epoch that no header can hold: %j',
    async (epoch) => {
      const broker = new EventBroker();
      const subscribe = async () => Object.defineProperty(await broker.subscribe(), 'epoch', { value: epoch });
      for (const accept of ['*/*', 'text/event-stream']) {
        const response = await fetchHandler({ broker: { subscribe } })(new Request(url, { headers: { accept } }));
        expect(response.status).toBe(500);
        expect(await response.json()).toMatchObject({ Error: { Code: 'internal' } });
      }
      expect(broker.stats().subscriptions).toBe(0);
    },
  );

  it('is server-sent events where the handler is told so', async () => {
    const broker = new EventBroker();
    await broker.publish(jobEvent(1));
    const response = await fetchHandler({ broker, format: 'sse' })(new Request(url));
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const ndjson = await fetchHandler({ broker, format: 'ndjson' })(
      new Request(url, { headers: { accept: 'text/event-stream' } }),
    );
    expect(ndjson.headers.get('content-type')).toBe('application/json');
    await broker.close();
    expect(await response.text()).toContain(`id: ${broker.epoch}:1\ndata: {"Index":1`);
    expect(await ndjson.text()).toContain('\n{"Index":1');
  });
});

describe.each([fetchHandler, eventStreamHandler])('%o', (handler) => {
  it.each([{ heartbeatMs: -1 }, { heartbeatMs: NaN }, { heartbeatMs: Infinity }, { format: 'xml' as never }])(
    'refuses %o when it is made',
    (options) => {
      expect(() => handler({ broker: new EventBroker(), ...options })).toThrow(TypeError);
    },
  );
});

describe('fenceline/fetch', () => {
  it('imports nothing of Node, so that it runs where there is none', () => {
    const seen = new Set<string>();
    const strays: string[] = [];
    const visit = (file: string): void => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(
        /^(?:import|export) (?!type )[^;]*?from '([^']+)'/gms,
      ))
        if (name.startsWith('.')) visit(fileURLToPath(new URL(name, `file://${file}`)));
        else strays.push(name);
    };
    for (const name of ['fetch', 'hono'])
      visit(fileURLToPath(new URL(`../../src/adapters/${name}.ts`, import.meta.url)));
    expect(seen.size).toBeGreaterThan(5);
    expect(strays).toEqual([]);
  });
});
