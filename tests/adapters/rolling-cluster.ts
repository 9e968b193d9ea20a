// Two servers on one log behind nginx, and clients of them, for rolling-restart.test.ts.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';

import { EventBroker } from 'fenceline';
import { streamEvents, type StreamError, type StreamOptions } from 'fenceline/client';
import { LmdbEventLog } from 'fenceline/lmdb';
import { freePort } from '../servers/free-port.ts';
import { Nginx } from '../servers/nginx.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A stream that the server has ended: newest index that it had passed, and ms since SIGTERM. */
export interface Goodbye {
  readonly index: number;
  readonly afterMs: number;
}

/** A process of rolling-server.ts. */
class RollingServer {
  readonly port: number;
  readonly #process: ChildProcess;
  readonly #lines: string[] = [];
  readonly #listening: Promise<unknown>;

  constructor(path: string, port: number, drainMs: number) {
    this.port = port;
    const args = ['--import', './tests/tooling/typescript.mjs', 'tests/adapters/rolling-server.ts'];
    this.#process = spawn(process.execPath, [...args, path, String(port), String(drainMs)], {
      cwd: root,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    onTestFinished(() => void this.#process.kill('SIGKILL'));
    const lines = createInterface({ input: this.#process.stdout as NonNullable<ChildProcess['stdout']> });
    lines.on('line', (line) => this.#lines.push(line));
    this.#listening = Promise.race([once(lines, 'line'), once(this.#process, 'close')]);
  }

  async listens(): Promise<void> {
    await this.#listening;
    if (this.#lines[0] !== 'listening') throw new Error('The server ended before it listened.');
  }

  /** @returns the streams that it ended, in order */
  async stop(): Promise<readonly Goodbye[]> {
    const closed = once(this.#process, 'close');
    this.#process.kill('SIGTERM');
    const [code] = (await closed) as [number | null];
    if (code !== 0 || this.#lines.at(-1)?.startsWith('closed after ') !== true)
      throw new Error(`The server ended with ${code}, and said: ${this.#lines.at(-1)}`);
    const ends = this.#lines.filter((line) => line.startsWith('ended ')).map((line) => line.split(' ').map(Number));
    return ends.map(([, index = 0, afterMs = 0]) => ({ index, afterMs }));
  }
}

/** A client, and all that it got. */
class Reader {
  readonly indexes: number[] = [];
  readonly reasons: string[] = [];
  readonly #url: string;
  readonly #got: (index: number) => void;
  readonly #options: Pick<StreamOptions, 'maxDelayMs'>;

  constructor(url: string, got: (index: number) => void, options: Pick<StreamOptions, 'maxDelayMs'>) {
    this.#url = url;
    this.#got = got;
    this.#options = options;
  }

  /** Until the event that says that it is the last. @throws StreamError of a gap */
  async read(): Promise<void> {
    const stream = streamEvents(this.#url, {
      ...this.#options,
      index: 1,
      onGap: 'fail',
      onState: (state) => {
        if (state.name === 'waiting') this.reasons.push((state.reason as StreamError).code);
      },
    });
    onTestFinished(() => stream.close());
    for await (const { index, events } of stream) {
      this.indexes.push(index);
      this.#got(index);
      if (events.some(({ key }) => key === 'last')) return;
    }
  }
}

/** Publishes as fast as half of the clients get it: so the machine sets the pace. */
class Publisher {
  readonly #broker: EventBroker;
  readonly #half: number;
  #index = 0;
  #count = 0;
  #go: () => void = () => undefined;
  #running: Promise<void> = Promise.resolve();
  #isRunning = false;

  constructor(broker: EventBroker, clients: number) {
    this.#broker = broker;
    this.#half = clients / 2;
  }

  /** A client got it. */
  readonly got = (index: number): void => {
    if (index === this.#index && ++this.#count >= this.#half) this.#go();
  };

  /** It goes on where it does already. */
  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    await this.#running;
  }

  /** @returns its index, once half of the clients have it */
  async publish(key: string): Promise<number> {
    const isSeen = new Promise<void>((resolve) => (this.#go = resolve));
    this.#count = 0;
    this.#index++;
    const event = { topic: 'Order', type: 'Changed', key, namespace: 'default', payload: {} };
    const index = await this.#broker.publish(event);
    if (index !== this.#index) throw new Error(`The log gave the index ${index} after ${this.#index - 1}.`);
    await isSeen;
    return this.#index;
  }

  async #run(): Promise<void> {
    while (this.#isRunning) await this.publish(`o-${this.#index}`);
  }
}

export interface ClusterOptions extends Pick<StreamOptions, 'maxDelayMs'> {
  readonly clients: number;
  readonly drainMs: number;
  /** Of nginx, for both servers. */
  readonly maxFails?: number;
}

/** Two servers on one log, nginx before them, and clients that are all connected. */
export async function cluster({ clients, drainMs, maxFails, ...options }: ClusterOptions) {
  const path = await mkdtemp(join(tmpdir(), 'fenceline-rolling-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  const log = await LmdbEventLog.open({ path, durability: 'os' });
  const broker = new EventBroker({ log });
  onTestFinished(async () => {
    await broker.close();
    await log.close();
  });
  await broker.ready();

  const ports = [await freePort(), await freePort()];
  const servers = ports.map((port) => new RollingServer(path, port, drainMs));
  await Promise.all(servers.map((server) => server.listens()));
  const nginx = await Nginx.start({ ports, ...(maxFails !== undefined && { maxFails }) });
  onTestFinished(() => nginx.stop());

  const publisher = new Publisher(broker, clients);
  const url = `http://127.0.0.1:${nginx.port}/v1/event/stream`;
  const readers = Array.from({ length: clients }, () => new Reader(url, publisher.got, options));
  const reading = Promise.all(readers.map((reader) => reader.read()));
  // It is waited for at the end.
  reading.catch(() => undefined);
  await publisher.publish('first');
  await untilAll(readers, ({ indexes }) => indexes.length > 0);

  /** One server ends while events are published, and another one takes its port. @returns its goodbyes */
  const restart = async (server: RollingServer): Promise<readonly Goodbye[]> => {
    publisher.start();
    const ended = await server.stop();
    const next = new RollingServer(path, server.port, drainMs);
    await next.listens();
    return ended;
  };
  /** All clients have read all, each batch once. */
  const finish = async (): Promise<number> => {
    await Promise.race([publisher.stop(), reading]);
    const last = await publisher.publish('last');
    await reading;
    const all = Array.from({ length: last }, (_, i) => i + 1);
    for (const { indexes } of readers) expect(indexes).toEqual(all);
    return last;
  };
  return { url, servers, readers, publisher, restart, finish };
}

/**
 * nginx leaves a server out for ten seconds after a connection to it failed. Then it hands it one request, and no other
 * until that one is over, or ten more seconds: so that with streams alone it takes very long. A short one heals it.
 */
export async function untilServedBy(url: string, port: number): Promise<void> {
  for (;;) {
    const { headers } = await fetch(url, { method: 'HEAD' });
    if (headers.get('X-Server') === String(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function untilAll(readers: readonly Reader[], holds: (reader: Reader) => boolean): Promise<void> {
  while (!readers.every(holds)) await new Promise(setImmediate);
}

/**
 * The n-th of N ended no earlier than the n-th of N parts of the time for goodbyes begins: whatever else the machine
 * does, timers are late and never early (but for the millisecond that a timer may be).
 */
export function expectSpread(ended: readonly Goodbye[], drainMs: number): void {
  expect(ended.length).toBeGreaterThan(0);
  const partMs = (0.9 * drainMs) / ended.length;
  const early = ended.filter(({ afterMs }, n) => afterMs < Math.floor(n * partMs) - 2);
  expect(early).toEqual([]);
}

/** How many of the streams ended in each quarter of what was published during the drain. */
export function quarters(ended: readonly Goodbye[]): string {
  const [from, to] = [ended[0]?.index ?? 0, ended.at(-1)?.index ?? 0];
  const counts = [0, 0, 0, 0];
  for (const { index } of ended) {
    const quarter = Math.min(3, Math.floor((4 * (index - from)) / (to - from + 1)));
    counts[quarter] = (counts[quarter] ?? 0) + 1;
  }
  return `${counts.join(', ')} (indexes ${from} to ${to})`;
}
