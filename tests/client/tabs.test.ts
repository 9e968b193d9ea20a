import type { BrowserContext, Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { browserForAll, executable } from '../explorer/browser-for-all.ts';
import { TabServer } from './tab-server.ts';

/** What the page keeps of a batch. */
interface Got {
  readonly index: number;
  readonly n: readonly number[];
  readonly gap?: object;
  readonly current?: boolean;
}

const browser = browserForAll();

describe.runIf(executable)('tabs that share a stream', () => {
  let server: TabServer;
  let context: BrowserContext;

  beforeEach(async () => {
    server = await TabServer.open();
    context = await browser.newContext();
  });

  afterEach(async () => {
    await context.close();
    await server.close();
  });

  async function open(options = '{}', name = 'alice'): Promise<Page> {
    const page = await context.newPage();
    await page.goto(server.url);
    const make = `fenceline.sharedByTabs(fenceline.streamEvents, '${name}')`;
    await page.evaluate(
      `void read(${make}('/v1/event/stream?', { onState: (s) => states.push(s.name), ...${options} }))`,
    );
    return page;
  }

  const got = (page: Page): Promise<Got[]> => page.evaluate('got');
  const numbers = async (page: Page): Promise<number[]> => (await got(page)).flatMap(({ n }) => n);

  /** Each page has every number once and in order. */
  async function expectAll(...pages: readonly Page[]): Promise<void> {
    const last = server.numbers.length;
    for (const page of pages) {
      await page.waitForFunction(`got.some(({ n }) => n.includes(${last})) || failure`);
      expect(await numbers(page)).toEqual(server.numbers);
      expect(await page.evaluate('failure')).toBeUndefined();
    }
  }

  it('have one connection, and each gets everything once and in order', async () => {
    await server.publish(20);
    const pages = [await open(), await open(), await open()];
    await expectAll(...pages);
    await server.connections(1);
    const { length } = server.requests;
    await server.publish(20);
    await expectAll(...pages);
    // Nobody connected once all had caught up.
    expect([server.broker.stats().subscriptions, server.requests.length]).toEqual([1, length]);
    for (const page of pages) expect(await page.evaluate('stream.state.name')).toBe('live');
  });

  it('go on without loss or doubles when the tab that has the connection is closed, again and again', async () => {
    const pages = [await open(), await open(), await open(), await open()];
    await expectAllAfter(5, pages);
    await server.connections(1);
    while (pages.length > 1) {
      const publishing = server.publish(200);
      await pages.shift()?.close();
      await publishing;
      await expectAllAfter(5, pages);
    }
    await server.connections(1);
  });

  async function expectAllAfter(count: number, pages: readonly Page[]): Promise<void> {
    await server.publish(count);
    await expectAll(...pages);
  }

  it('lose nothing when the connection is cut', async () => {
    const pages = [await open('{ minDelayMs: 1 }'), await open('{ minDelayMs: 1 }')];
    await expectAllAfter(5, pages);
    await server.connections(1);
    for (let i = 0; i < 3; i++) {
      server.cut();
      await expectAllAfter(50, pages);
    }
    for (const page of pages) expect(await page.evaluate('states')).toContain('waiting');
  });

  it('resume each from its own position', async () => {
    const first = await open();
    await server.publish(30);
    await expectAll(first);
    const position = await first.evaluate('stream.position');
    const early = await open('{ index: 11 }');
    const late = await open(JSON.stringify(position));
    const latest = await open("{ index: 'latest' }");
    await latest.waitForFunction("stream.state.name === 'live'");
    await server.publish(5);
    const expected: [Page, number][] = [
      [early, 11],
      [late, 31],
      [latest, 31],
    ];
    for (const [page, from] of expected) {
      await page.waitForFunction('got.some(({ n }) => n.includes(35)) || failure');
      expect(await numbers(page)).toEqual(server.numbers.slice(from - 1));
    }
    await server.connections(1);
  });

  it('follow one that is behind, and are not told again what they know', async () => {
    await server.publish(10);
    const { epoch } = server.broker.position;
    let release = (): void => undefined;
    server.released = new Promise((resolve) => (release = resolve));
    const behind = await open(`{ index: 1, epoch: '${epoch}' }`);
    while (server.requests.length === 0) await new Promise(setImmediate);
    const ahead = await open(`{ index: 11, epoch: '${epoch}' }`);
    // It knows of the other one, and waits for it.
    await ahead.waitForFunction("stream.state.name === 'connecting'");
    release();
    await expectAll(behind);
    await server.publish(1);
    await expectAll(behind);
    await ahead.waitForFunction('got.some(({ n }) => n.includes(11))');
    expect(await numbers(ahead)).toEqual([11]);
    await server.connections(1);
  });

  it('share the state: each is told it whole, that it is complete, and then its changes', async () => {
    await server.publish(20);
    const pages = [await open('{ state: true }'), await open('{ state: true }'), await open('{ state: true }')];
    for (const page of pages) await page.waitForFunction('got.some(({ current }) => current)');
    await server.connections(1);
    await server.publish(3);
    await pages[0]?.close();
    await server.publish(3);
    for (const page of pages.slice(1)) {
      await page.waitForFunction('got.some(({ n }) => n.includes(26))');
      expect(await numbers(page)).toEqual(server.numbers.slice(13));
      expect((await got(page)).filter(({ current }) => current).length).toBe(1);
    }
  });

  it('do not share with other names or other filters', async () => {
    await server.publish(1);
    const pages = [await open(), await open('{}', 'bob'), await open("{ topics: ['Order'] }")];
    await expectAllAfter(1, pages);
    await server.connections(3);
  });

  it('take the connection over from a tab that answers no more', async () => {
    const [first, second] = [await open(), await open()];
    await expectAllAfter(5, [first, second]);
    await server.connections(1);
    // The page hangs, and keeps the lock; its process still reads the network.
    void first.evaluate('for (;;) { /* as a page that hangs */ }').catch(() => undefined);
    const third = await open();
    await expectAllAfter(5, [third]);
    await expectAllAfter(5, [second, third]);
    await third.close();
    await expectAllAfter(5, [second]);
  });

  it('end each with the reason, where the stream ends for one that cannot heal', async () => {
    const pages = [await open(), await open(), await open()];
    await expectAllAfter(5, pages);
    await server.connections(1);
    server.isClosed = true;
    server.cut();
    for (const page of pages) {
      await page.waitForFunction('failure');
      expect(await page.evaluate('[failure, stream.state.name]')).toEqual(['permission_denied', 'closed']);
    }
    await server.connections(0);
  });

  it('say what is wrong where what was read cannot be told', async () => {
    await server.publish(1);
    const page = await open(
      '{ parse: (line) => JSON.parse(line, (key, value) => (key === "Payload" ? () => 0 : value)) }',
    );
    await page.waitForFunction('failure');
    expect(await page.evaluate('failure')).toMatch(/can be cloned/);
  });

  it('that leave the loop give the connection to another', async () => {
    const [first, second] = [await open(), await open()];
    await expectAllAfter(5, [first, second]);
    await first.evaluate('stream.close()');
    await expectAllAfter(5, [second]);
    await server.connections(1);
    expect(await first.evaluate('stream.state.name')).toBe('closed');
  });
});
