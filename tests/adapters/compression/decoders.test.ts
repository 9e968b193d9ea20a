import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { eventStreamHandler } from '../../../src/adapters/http.ts';
import { streamEvents } from '../../../src/client/index.ts';
import { EventBroker } from '../../../src/index.ts';
import { browserForAll, executable as chromium } from '../../explorer/browser-for-all.ts';
import { findExecutable } from '../../servers/executable.ts';

/** Compressed streams, and a page that may ask for them. */
class Server {
  readonly broker = new EventBroker();
  readonly #server: http.Server;

  private constructor() {
    const stream = eventStreamHandler({ broker: this.broker, compression: true });
    this.#server = http.createServer((request, response) => {
      if (request.url === '/page') response.setHeader('Content-Type', 'text/html').end('<!doctype html>');
      else void stream(request, response);
    });
  }

  static async open(): Promise<Server> {
    const server = new Server();
    await once(server.#server.listen(0, '127.0.0.1'), 'listening');
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  publish(n: number): Promise<number> {
    return this.broker.publish({
      topic: 'Order',
      type: 'Placed',
      key: `o-${n}`,
      payload: { n, text: 'naïve '.repeat(30) },
    });
  }

  async close(): Promise<void> {
    await this.broker.close();
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** What has been decoded: each event is waited for before the next is published. */
class Decoded {
  readonly #seen = new Set<number>();
  #look: () => void = () => undefined;

  /** Lines of ndjson, or data of server-sent events. */
  take(line: string): void {
    const match = /"n":(\d+)/.exec(line);
    if (match) this.#seen.add(Number(match[1]));
    this.#look();
  }

  async has(n: number): Promise<void> {
    while (!this.#seen.has(n)) await new Promise<void>((resolve) => (this.#look = resolve));
  }
}

/** Starts to read. @returns resolves when the stream has ended, as a whole one does */
type Decoder = (url: string, decoded: Decoded) => Promise<{ readonly ended: Promise<unknown> }>;

const byFetch: Decoder = async (url, decoded) => {
  const response = await fetch(url);
  expect(response.headers.get('content-encoding')).toBe('gzip');
  const read = async (): Promise<void> => {
    let rest = '';
    for await (const text of (response.body as ReadableStream<Uint8Array<ArrayBuffer>>).pipeThrough(
      new TextDecoderStream(),
    )) {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) decoded.take(line);
    }
  };
  return { ended: read() };
};

const byClient: Decoder = async (url, decoded) => {
  const encodings: (string | null)[] = [];
  const stream = streamEvents(url, {
    fetch: async (...args) => {
      const response = await fetch(...args);
      encodings.push(response.headers.get('content-encoding'));
      return response;
    },
  });
  onTestFinished(() => stream.close());
  const read = async (): Promise<void> => {
    for await (const batch of stream) {
      decoded.take(JSON.stringify(batch.events));
      if (batch.index === 60) break;
    }
    expect(encodings).toEqual(['gzip']);
  };
  return { ended: read() };
};

/** A program that writes lines. It must end without an error. */
function byProgram(command: string, args: (url: string) => readonly string[]): Decoder {
  return async (url, decoded) => {
    const child = spawn(command, args(url), { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill());
    createInterface(child.stdout).on('line', (line) => decoded.take(line));
    return { ended: once(child, 'close').then(([code]) => expect(code).toBe(0)) };
  };
}

const curl = findExecutable('curl');
const python = findExecutable('python3');
const go = findExecutable('go');
const programOf = (name: string): string => fileURLToPath(new URL(`programs/${name}`, import.meta.url));

/** Whether Python finds a package, which may be of a virtual environment that is on the PATH. */
const hasPackage = (name: string): boolean =>
  python !== undefined && spawnSync(python, ['-c', `import ${name}`], { stdio: 'ignore' }).status === 0;

const byPython = (name: string): Decoder => byProgram(String(python), (url) => [programOf(name), url]);

describe('event by event, and whole to its end, a compressed stream is read by', () => {
  let server: Server;
  beforeEach(async () => {
    server = await Server.open();
  });
  afterEach(() => server.close());

  async function isReadBy(decoder: Decoder): Promise<void> {
    const decoded = new Decoded();
    const { ended } = await decoder(server.url, decoded);
    for (let n = 1; n <= 60; n++) {
      await server.publish(n);
      await decoded.has(n);
    }
    await server.close();
    await ended;
  }

  it("Node's fetch", () => isReadBy(byFetch));
  it('streamEvents', () => isReadBy(byClient));
  it.runIf(curl)('curl', () => isReadBy(byProgram(String(curl), (url) => ['-sN', '--compressed', '--fail', url])));
  it.runIf(go)('Go', () => isReadBy(byProgram(String(go), (url) => ['run', programOf('read.go'), url])));
  it.runIf(python)("Python's zlib", () => isReadBy(byPython('by_zlib.py')));
  it.runIf(hasPackage('requests'))("Python's requests", () => isReadBy(byPython('by_requests.py')));
  it.runIf(hasPackage('httpx'))("Python's httpx", () => isReadBy(byPython('by_httpx.py')));

  describe.runIf(chromium)('Chromium, by', () => {
    const browser = browserForAll();

    const inPage =
      (script: string): Decoder =>
      async (url, decoded) => {
        const page = await browser.newPage();
        onTestFinished(() => page.close());
        await page.exposeFunction('take', (line: string) => decoded.take(line));
        const ended = new Promise<void>((resolve) => void page.exposeFunction('ended', resolve));
        await page.goto(`${url}/page`);
        await page.evaluate(script);
        return { ended };
      };

    it('fetch', () =>
      isReadBy(
        inPage(`void (async () => {
          const response = await fetch('/');
          const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
          let rest = '';
          for (let { value, done } = await reader.read(); !done; { value, done } = await reader.read()) {
            const lines = (rest + value).split('\\n');
            rest = lines.pop();
            for (const line of lines) take(line);
          }
          ended();
        })()`),
      ));

    it('EventSource', () =>
      isReadBy(
        inPage(`
          const source = new EventSource('/');
          source.onmessage = ({ data }) => take(data);
          source.addEventListener('error', ({ data }) => {
            if (data === undefined) return;
            source.close();
            ended();
          });
        `),
      ));
  });
});
