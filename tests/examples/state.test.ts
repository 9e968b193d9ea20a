import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import type { Browser } from 'playwright-core';
import { afterEach, describe, expect, it } from 'vitest';
import { eventStreamHandler } from '../../src/adapters/http.ts';
import { EventBroker, type BufferOptions } from '../../src/index.ts';
import { topics } from '../../examples/open-orders.ts';
import { findChromium, launchChromium } from '../explorer/chromium.ts';
import { linesUntil, RunningExample } from './run-example.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function start(name: string, environment: Readonly<Record<string, string>> = {}): RunningExample {
  const example = new RunningExample(name, [], environment);
  cleanups.push(() => example.kill());
  return example;
}

interface Line {
  readonly Index?: number;
  readonly Events?: readonly { readonly Key: string; readonly Payload: { readonly step: string } }[];
  readonly Removed?: readonly { readonly Key: string }[];
  readonly Current?: { readonly Index: number };
}

describe('24-live-board', () => {
  it('streams the open orders, that they are current, then changes and orders that are delivered', async () => {
    const example = start('24-live-board');
    const url = await example.url();
    // Until orders were delivered, so that the state is less than what happened.
    await linesUntil(url, (line) => (JSON.parse(line) as Line).Removed?.[0]?.Key === 'o-2');
    const lines = (await linesUntil(url, (line) => line.includes('"Removed"'))).map((line) => JSON.parse(line) as Line);
    const at = lines.findIndex(({ Current }) => Current !== undefined);
    const state = lines.slice(0, at).flatMap(({ Events = [] }) => Events);
    expect(at).toBeGreaterThan(0);
    expect(new Set(state.map(({ Key }) => Key)).size).toBe(state.length);
    expect(state.map(({ Key }) => Key)).not.toContain('o-1');
    expect(state.map(({ Payload }) => Payload.step)).not.toContain('delivered');
    expect(state.map(({ Key }) => Key)).toContain(lines.at(-1)?.Removed?.[0]?.Key);
    expect(await example.stop()).toBe(0);
  });

  const executable = findChromium();
  it.skipIf(!executable)('is a page that updates in place, and begins anew with the server', async () => {
    const example = start('24-live-board');
    const [, address = ''] = await example.printed(/The board: (\S+)/);
    const browser: Browser = await launchChromium(executable ?? '');
    cleanups.push(() => browser.close());
    const page = await browser.newPage();
    await page.goto(address);
    await page.locator('#state', { hasText: 'current' }).waitFor();
    const last = page.locator('#board li').last();
    const [key] = ((await last.textContent()) ?? '').split(' ');
    const item = page.locator('#board li', { hasText: new RegExp(`^${key} `) });
    const element = await item.elementHandle();
    await page.locator('#board li', { hasText: new RegExp(`^${key} .*sent`) }).waitFor();
    expect(await element?.textContent()).toMatch(/sent$/);
    await item.waitFor({ state: 'detached' });

    example.kill();
    await example.ended();
    start('24-live-board', { PORT: new URL(address).port });
    await page
      .locator('#board li', { hasText: /^o-\d / })
      .first()
      .waitFor();
    await page.locator('#state', { hasText: 'current' }).waitFor();
    const keys = (await page.locator('#board li').allTextContents()).map((text) => Number(/^o-(\d+)/.exec(text)?.[1]));
    // Six orders are open at a time. One that the first run left would be far from those of the second.
    expect(new Set(keys).size).toBe(keys.length);
    expect(Math.max(...keys) - Math.min(...keys)).toBeLessThan(6);
  });
});

/** A source whose orders the test moves, on a port that outlives it. */
class Source {
  readonly broker: EventBroker<(typeof topics)['payloads'], 'Order'>;
  readonly #server: http.Server;

  private constructor(buffer: BufferOptions) {
    this.broker = new EventBroker({ topics, buffer });
    this.#server = http.createServer(eventStreamHandler({ broker: this.broker }));
  }

  static async start(port = 0, buffer: BufferOptions = {}): Promise<Source> {
    const source = new Source(buffer);
    await new Promise<void>((resolve) => source.#server.listen(port, '127.0.0.1', resolve));
    cleanups.push(() => source.stop());
    return source;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  order(key: string, step: string): Promise<number> {
    const type = step === 'delivered' ? 'OrderDelivered' : 'OrderMoved';
    return this.broker.publish({
      topic: 'Order',
      type,
      key,
      namespace: 'default',
      payload: { customer: 'dora', step },
    });
  }

  /** What a mirror of it answers. */
  get answer(): unknown {
    const { index, events } = this.broker.state();
    return { index, orders: Object.fromEntries(events.map(({ key, payload }) => [key, payload])) };
  }

  cut(): void {
    this.#server.closeAllConnections();
  }

  async stop(): Promise<void> {
    await this.broker.close();
    this.cut();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }
}

describe('25-mirror', () => {
  /** Asks until it answers so; a mirror that never does shows what it answered last. */
  async function untilEqual(url: string, source: Source): Promise<void> {
    const until = Date.now() + 60_000;
    let answer: unknown;
    while (Date.now() < until) {
      const response = await fetch(url);
      answer = response.status === 200 ? await response.json() : await response.text();
      if (isDeepStrictEqual(answer, source.answer)) return;
    }
    expect(answer).toEqual(source.answer);
  }

  it('answers as its source would: after changes, removals, a cut, forgotten removals and a restart', async () => {
    const source = await Source.start(0, { maxBatches: 4, maxRemovals: 2 });
    for (const key of ['a', 'b', 'c', 'd']) await source.order(key, 'placed');
    const example = start('25-mirror', { SOURCE_URL: `http://127.0.0.1:${source.port}/v1/event/stream` });
    const url = await example.url();
    await untilEqual(url, source);
    await source.order('a', 'packed');
    await source.order('b', 'delivered');
    await untilEqual(url, source);

    // More removals than are remembered, while it is cut off.
    source.cut();
    for (const key of ['a', 'c', 'd']) await source.order(key, 'delivered');
    for (const key of ['e', 'f', 'e', 'f', 'g']) await source.order(key, 'placed');
    await untilEqual(url, source);

    const { port } = source;
    await source.stop();
    expect((await fetch(url)).status).toBe(200);
    const next = await Source.start(port);
    await next.order('f', 'sent');
    await untilEqual(url, next);
    expect(await example.stop()).toBe(0);
  });

  it('runs with a source of its own', async () => {
    const example = start('25-mirror');
    const url = await example.url();
    let orders: Readonly<Record<string, unknown>> = {};
    while (orders['o-1'] !== undefined || orders['o-7'] === undefined) {
      const response = await fetch(url);
      if (response.status === 200) ({ orders } = (await response.json()) as { orders: typeof orders });
    }
    expect(Object.keys(orders)).not.toContain('o-1');
    expect(await example.stop()).toBe(0);
  });

  it('ends with the reason when its source cannot be followed', async () => {
    const broker = new EventBroker({ topics });
    const server = http.createServer((_request, response) => response.writeHead(404).end()).listen(0, '127.0.0.1');
    cleanups.push(
      () => server.close(),
      () => server.closeAllConnections(),
      () => broker.close(),
    );
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const example = start('25-mirror', { SOURCE_URL: `http://127.0.0.1:${port}/` });
    expect(await example.ended()).toBe(1);
    expect(example.output).toContain('The mirror has ended: ');
  });
});
