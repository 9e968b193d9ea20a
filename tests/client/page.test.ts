import type { BrowserContext, Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { browserForAll, executable } from '../explorer/browser-for-all.ts';
import { TabServer } from './tab-server.ts';

const browser = browserForAll();
/** So long that a test ends before it does. */
const hour = 3_600_000;

describe.runIf(executable)('in a page, a stream', () => {
  let server: TabServer;
  let context: BrowserContext;
  let page: Page;

  beforeEach(async () => {
    server = await TabServer.open();
    context = await browser.newContext();
    page = await context.newPage();
    await page.goto(server.url);
  });

  afterEach(async () => {
    await context.close();
    await server.close();
  });

  const read = (url: string, options = '{}'): Promise<void> =>
    page.evaluate(`void read(fenceline.streamEvents('${url}', ${options}))`);
  const hasRead = (n: number) => page.waitForFunction(`got.some((batch) => batch.n.includes(${n}))`);

  it.each(['/v1/event/stream', 'v1/event/stream', '?over'])(
    'takes a relative URL as the page does: %s',
    async (url) => {
      if (url === '?over')
        await page.evaluate(
          "document.head.append(Object.assign(document.createElement('base'), { href: '/v1/event/stream' }))",
        );
      await server.publish(1);
      await read(url);
      await hasRead(1);
    },
  );

  it.each([
    ['{}', 'user=alice'],
    ["{ credentials: 'include' }", 'user=alice'],
    ["{ credentials: 'omit' }", undefined],
  ])('sends cookies as its option says: %s', async (options, cookie) => {
    await context.addCookies([{ name: 'user', value: 'alice', url: server.url }]);
    await server.publish(1);
    await read('/v1/event/stream', options);
    await hasRead(1);
    expect(server.requests[0]?.headers.cookie).toBe(cookie);
  });

  /** A stream that was cut and would wait for an hour. */
  async function waiting(): Promise<void> {
    await server.publish(1);
    await read('/v1/event/stream', `{ minDelayMs: ${hour}, maxDelayMs: ${hour}, random: () => 0.9 }`);
    await hasRead(1);
    server.cut();
    await page.waitForFunction("stream.state.name === 'waiting'");
    await server.publish(1);
  }

  it('asks at once when the browser is back online', async () => {
    await waiting();
    await context.setOffline(true);
    await context.setOffline(false);
    await hasRead(2);
  });

  it('asks at once when the page is shown', async () => {
    await waiting();
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
    await hasRead(2);
  });

  it('asks at once when it is told to', async () => {
    await waiting();
    await page.evaluate('stream.reconnect()');
    await hasRead(2);
    expect(await page.evaluate('got.map(({ n }) => n[0])')).toEqual([1, 2]);
  });

  it('listens only while it waits, and leaves nothing behind', async () => {
    await server.publish(1);
    await read('/v1/event/stream');
    await hasRead(1);
    expect(await listeners(page)).toEqual(['online', 'visibilitychange']);
    await page.evaluate('stream.close()');
    expect(await listeners(page)).toEqual([]);
    await page.evaluate("stream = fenceline.streamEvents('/v1/event/stream'); void 0");
    await page.evaluate('stream.next().then(() => 0)');
    // Handed over, and nothing more was asked for: a stream that is let go of now is garbage.
    expect(await listeners(page)).toEqual([]);
  });

  async function listeners(of: Page): Promise<string[]> {
    const devtools = await context.newCDPSession(of);
    const types: string[] = [];
    for (const expression of ['window', 'document']) {
      const { result } = await devtools.send('Runtime.evaluate', { expression });
      const found = await devtools.send('DOMDebugger.getEventListeners', { objectId: result.objectId ?? '' });
      types.push(...found.listeners.map(({ type }) => type));
    }
    await devtools.detach();
    // The test's own driver listens as well, for the mouse.
    return types.filter((type) => type === 'online' || type === 'visibilitychange').toSorted();
  }
});
