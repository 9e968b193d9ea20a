// The code of docs/client.md, run: each block of the guide stands in this file.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http, { type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isSafeNumber, parse } from 'lossless-json';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventBroker } from 'fenceline';
import {
  type Position,
  serverSentEvents,
  sharedByTabs,
  state,
  streamEvents,
  streamEventsWith,
  wakeUps,
} from 'fenceline/client';
import { eventStreamHandler } from 'fenceline/http';
import { clientSizes } from '../tooling/size-bounds.mjs';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const guide = read('docs/client.md');
const blocks = [...guide.matchAll(/^```ts\n([^]*?)^```/gm)].map(([, code = '']) => code);
/** The formatter breaks lines elsewhere where code stands deeper; imports stand at the top, and page URLs are whole. */
const plain = (code: string): string =>
  code
    .replaceAll(/^import .*$/gm, '')
    .replaceAll(/\/\/.*$/gm, '')
    .replaceAll("'/v1/event/stream'", 'url')
    .replaceAll(/\s/g, '')
    .replaceAll(/,(?=[)\]}]|$)/g, '');

describe('the guide about the client', () => {
  let broker: EventBroker;
  let server: http.Server;
  let url: string;
  let requests: IncomingMessage[];
  /** What stands in the way of the stream. */
  let refusals: number[];
  const shown: string[] = [];
  /** How many calls of `show` are awaited; the last one throws, which ends the loop that it is called from. */
  let wanted = Infinity;
  const enough = new Error('enough');
  const show = (...what: readonly unknown[]): void => {
    if (shown.push(JSON.stringify(what)) === wanted) throw enough;
  };

  beforeEach(async () => {
    broker = new EventBroker();
    requests = [];
    refusals = [];
    shown.length = 0;
    wanted = Infinity;
    const stream = eventStreamHandler({ broker });
    server = http.createServer((request, response) => {
      requests.push(request);
      const status = refusals.shift();
      if (status !== undefined) return void response.writeHead(status).end();
      return stream(request, response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/event/stream`;
  });

  afterEach(async () => {
    await broker.close();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  const publish = (...keys: readonly string[]): Promise<unknown> =>
    Promise.all(keys.map((key) => broker.publish({ topic: 'Order', type: 'Placed', key, payload: { key } })));
  const until = async (isDone: () => boolean): Promise<void> => {
    while (!isDone()) await new Promise(setImmediate);
  };

  it('has no code that is not in this file', () => {
    const here = plain(read('tests/readme/client-guide.test.ts'));
    expect(blocks.length).toBeGreaterThan(7);
    expect(blocks.filter((block) => !here.includes(plain(block)))).toEqual([]);
  });

  it('leads to files that are there', () => {
    const links = [...guide.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, path = '']) => path);
    expect(links.length).toBeGreaterThan(1);
    for (const link of links) expect(() => read(`docs/${link}`)).not.toThrow();
  });

  it('says what it weighs as the check of sizes does', () => {
    const rows = [...guide.matchAll(/^\| `(.+?)`\s*\|\s*([\d.]+) \|$/gm)].map(([, use, size]) => [use, Number(size)]);
    expect(rows).toEqual(clientSizes.map(({ use, bytes }) => [use, bytes / 1024]));
  });

  it('reads', async () => {
    await publish('o-1', 'o-2');
    wanted = 2;
    const read = async () => {
      const stream = streamEvents(url, { topics: ['Order'] });
      for await (const { events, gap } of stream) {
        if (gap) console.warn(`Events ${gap.from} to ${gap.to} may be missing: ${gap.reason}`);
        for (const { key, payload } of events) show(key, payload);
      }
    };
    await expect(read()).rejects.toBe(enough);
    expect(shown).toEqual(['["o-1",{"key":"o-1"}]', '["o-2",{"key":"o-2"}]']);
  });

  it('goes on where it was', async () => {
    let kept: Position | undefined;
    const saved = (): Partial<Position> => kept ?? {};
    const save = (position: Position): void => {
      kept = position;
      if (shown.length === wanted) throw enough;
    };
    const handle = async (events: readonly { readonly key: string }[]) => void shown.push(events[0]?.key ?? '');
    const read = async () => {
      const options = { topics: ['Order'], ...saved() };
      const stream = streamEvents(url, options);
      for await (const { events } of stream) {
        await handle(events);
        save(stream.position);
      }
    };
    await publish('o-1', 'o-2');
    wanted = 2;
    await expect(read()).rejects.toBe(enough);
    await publish('o-3');
    wanted = 3;
    await expect(read()).rejects.toBe(enough);
    expect(shown).toEqual(['o-1', 'o-2', 'o-3']);
  });

  it('asks at once when it is told to', async () => {
    const stream = streamEvents(url);
    const signedIn = new EventTarget();
    signedIn.addEventListener('change', () => stream.reconnect());
    await publish('o-1');
    await stream.next();
    const next = stream.next();
    await until(() => broker.stats().subscriptions === 1);
    signedIn.dispatchEvent(new Event('change'));
    await until(() => requests.length === 2);
    await publish('o-2');
    expect((await next).value?.events[0]?.key).toBe('o-2');
    stream.close();
  });

  it('shows a banner while it waits, and tries statuses that are named', async () => {
    const setBanner = (text: string): void => void shown.push(text);
    refusals = [404, 503];
    await publish('o-1');
    const stream = streamEvents(url, {
      onState: (state) => setBanner(state.name === 'waiting' ? `Offline: ${state.reason.message}` : ''),
      retryStatuses: [404],
    });
    expect((await stream.next()).value?.events[0]?.key).toBe('o-1');
    expect(shown.filter((text) => text !== '')).toEqual([404, 503].map((n) => `Offline: The server answered ${n}: `));
    expect(shown.at(-1)).toBe('');
    stream.close();
  });

  it('sends a token, asked for before each connection', async () => {
    const session = { token: 't-1' };
    const withToken = streamEvents(url, { token: () => session.token });
    const withCookies = streamEvents(url, { credentials: 'include' });
    await publish('o-1');
    await Promise.all([withToken.next(), withCookies.next()]);
    expect(requests.map(({ headers }) => headers['x-nomad-token']).toSorted()).toEqual(['t-1', undefined]);
    session.token = 't-2';
    withToken.reconnect();
    const next = withToken.next();
    await until(() => requests.length === 3);
    expect(requests.at(-1)?.headers['x-nomad-token']).toBe('t-2');
    withToken.close();
    withCookies.close();
    await next;
  });

  it('has a connection of its own where there are no tabs', async () => {
    const userId = 7;
    await publish('o-1');
    wanted = 1;
    const read = async () => {
      const shared = sharedByTabs(streamEvents, `user ${userId}`);
      for await (const { events } of shared(url, { topics: ['Order'] })) show(events);
    };
    await expect(read()).rejects.toBe(enough);
    await until(() => broker.stats().subscriptions === 0);
    expect(() => sharedByTabs(streamEvents, '')).toThrow(/needs a name/);
  });

  it('keeps large integers', async () => {
    const exact = (text: string) => (isSafeNumber(text) ? Number(text) : BigInt(text));
    const stream = streamEvents(url, { parse: (line) => parse(line, undefined, exact) });
    await broker.publish({ topic: 'Order', type: 'Placed', key: 'o-1', payload: { id: Number.MAX_SAFE_INTEGER + 1 } });
    const { value } = await stream.next();
    expect(value?.events[0]?.payload).toEqual({ id: 9007199254740992n });
    stream.close();
  });

  it('is made of parts', async () => {
    const all = streamEvents;
    {
      const streamEvents = streamEventsWith({ serverSentEvents, state, wakeUps });
      await publish('o-1');
      const stream = streamEvents(url, { state: true });
      expect((await stream.next()).value?.index).toBe(1);
      stream.close();
      expect(() => streamEvents(url, { minDelayMs: 0 })).not.toThrow();
      expect(() => streamEvents(url, { snapshot: () => ({ value: 1, index: 1 }) })).toThrow(/streamEventsWith/);
      expect(() => all(url, { minDelayMs: 0 })).toThrow(TypeError);
    }
  });
});
