import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Locator, Page } from 'playwright-core';
import { createElement } from 'react';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Acl } from '../../src/index.ts';
import { browserForAll, executable } from '../explorer/browser-for-all.ts';
import { App, type Shown } from './components.ts';
import { OrderServer } from './order-server.ts';
import type { TestPage } from './page.ts';

if (!executable) console.warn('No chromium on the PATH: the hooks are not tested in a browser.');

const { newPage } = browserForAll();
const cleanups: (() => unknown)[] = [];
/**
 * What the browser, and React in it, complained about. A server that refuses, or is gone, is what some tests are about.
 */
const complaints: string[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  if (complaints.length > 0) throw new Error(`The browser complained: ${complaints.splice(0).join('\n')}`);
});

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The page with the development build of React: in the other one StrictMode does nothing. */
async function bundle(react: '18' | '19'): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [source('page.ts')],
    bundle: true,
    write: false,
    format: 'iife',
    define: { 'process.env.NODE_ENV': '"development"' },
    alias: {
      'fenceline/client': source('../../src/client/index.ts'),
      'fenceline/react': source('../../src/react/index.ts'),
      ...(react === '18' && { react: 'react-18', 'react-dom': 'react-dom-18' }),
    },
    logLevel: 'error',
  });
  return outputFiles[0]?.text ?? '';
}

const documentOf = (script: string, markup: string, rendered?: Shown): string =>
  `<!doctype html><meta charset="utf-8"><title>Orders</title><div id="root">${markup}</div>
<script>${rendered ? `var rendered = ${JSON.stringify(rendered)};` : ''}</script>
<script>${script.replaceAll('</script', String.raw`<\/script`)}</script>`;

it('a browser is there where it is required', () => {
  expect(executable !== undefined || process.env['CI'] !== 'true').toBe(true);
});

describe.skipIf(!executable).each(['19', '18'] as const)('the hooks in Chromium, with React %s', (react) => {
  let script = '';
  beforeAll(async () => {
    script = await bundle(react);
  });

  async function serve(html = () => documentOf(script, '')): Promise<OrderServer> {
    const server = await OrderServer.start(html);
    cleanups.push(() => server.stop());
    return server;
  }

  async function open(server: OrderServer): Promise<Page> {
    const page = await newPage();
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => {
      const isComplaint = ['error', 'warning'].includes(message.type());
      if (isComplaint && !message.text().startsWith('Failed to load resource')) complaints.push(message.text());
    });
    cleanups.push(() => page.close());
    await page.goto(server.url);
    return page;
  }

  const show = (page: Page, shown: Shown): Promise<void> =>
    page.evaluate((json) => (globalThis as unknown as TestPage).show(JSON.parse(json)), JSON.stringify(shown));

  const batchesIn = (page: Page): Promise<readonly string[]> =>
    page.evaluate(() => (globalThis as unknown as TestPage).batches);

  const text = (page: Page, place: string, content: string | RegExp): Promise<void> =>
    page.locator(place, { hasText: content }).first().waitFor();

  const items = (page: Page): Promise<readonly string[]> => page.locator('li').allTextContents();
  const item = (page: Page, content: string): Locator => page.locator('li', { hasText: content });

  it('has one connection in StrictMode, and hands over each batch once and in order', async () => {
    const server = await serve();
    await server.order('o-1', 'placed');
    const page = await open(server);
    await show(page, { stream: { topics: ['Order'] } });
    await item(page, 'o-1 placed').waitFor();
    for (const key of ['o-2', 'o-3', 'o-4']) await server.order(key, 'placed');
    await item(page, 'o-4 placed').waitFor();
    expect(await batchesIn(page)).toEqual(['1 o-1', '2 o-2', '3 o-3', '4 o-4']);
    expect(await items(page)).toEqual(['o-1 placed', 'o-2 placed', 'o-3 placed', 'o-4 placed']);
    await text(page, '.status', 'live');
    expect(server.requests).toHaveLength(1);
    expect(server.broker.stats().subscriptions).toBe(1);
  });

  it('holds the newest events alone, and hands over all', async () => {
    const server = await serve();
    for (let i = 1; i <= 20; i++) await server.order(`o-${i}`, 'placed');
    const page = await open(server);
    await show(page, { stream: { topics: ['Order'], maxEvents: 3 } });
    await item(page, 'o-20').waitFor();
    expect(await items(page)).toEqual(['o-18 placed', 'o-19 placed', 'o-20 placed']);
    expect(await batchesIn(page)).toHaveLength(20);
  });

  it('goes on where it was after a cut, and says meanwhile why', async () => {
    const server = await serve();
    await server.order('o-1', 'placed');
    const page = await open(server);
    await show(page, { stream: { topics: ['Order'] } });
    await text(page, '.status', 'live');
    await page.evaluate(() => {
      const seen = ((globalThis as unknown as { seen: Set<string> }).seen = new Set<string>());
      const look = () => seen.add(document.querySelector('.error')?.textContent ?? '');
      new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
    });
    server.cut();
    await server.order('o-2', 'placed');
    await item(page, 'o-2').waitFor();
    await text(page, '.status', 'live');
    await text(page, '.error', 'none');
    expect(await page.evaluate(() => [...(globalThis as unknown as { seen: Set<string> }).seen])).toContain('network');
    expect(await batchesIn(page)).toEqual(['1 o-1', '2 o-2']);
    expect(server.requests).toHaveLength(2);
  });

  it('closes its connection when its component leaves the page', async () => {
    const server = await serve();
    const page = await open(server);
    await show(page, { stream: { topics: ['Order'] }, state: { topics: ['Order'] } });
    await server.streams(2);
    await show(page, { state: { topics: ['Order'] } });
    await server.streams(1);
    await show(page, {});
    await server.streams(0);
    expect(server.requests).toHaveLength(2);
  });

  it('goes on where it was when it is enabled again', async () => {
    const server = await serve();
    await server.order('o-1', 'placed');
    const page = await open(server);
    await show(page, { stream: { topics: ['Order'] } });
    await item(page, 'o-1').waitFor();
    await show(page, { stream: { topics: ['Order'], enabled: false } });
    await server.streams(0);
    await text(page, '.status', 'idle');
    expect(await items(page)).toEqual(['o-1 placed']);
    await server.order('o-2', 'placed');
    await show(page, { stream: { topics: ['Order'], enabled: true } });
    await item(page, 'o-2').waitFor();
    expect(await batchesIn(page)).toEqual(['1 o-1', '2 o-2']);
  });

  it('begins anew for other topics, and lets the connection before go', async () => {
    const server = await serve();
    await server.order('o-1', 'placed');
    await server.order('o-2', 'placed');
    const page = await open(server);
    await show(page, { stream: { topics: ['Order:o-1'] } });
    await item(page, 'o-1').waitFor();
    await show(page, { stream: { topics: ['Order:o-1'] } });
    await show(page, { stream: { topics: ['Order:o-2'] } });
    await item(page, 'o-2').waitFor();
    expect(await items(page)).toEqual(['o-2 placed']);
    await server.streams(1);
    expect(server.requests.map((url) => new URL(url, server.url).searchParams.get('topic'))).toEqual([
      'Order:o-1',
      'Order:o-2',
    ]);
  });

  it('shows a state, and then what changes', async () => {
    const server = await serve();
    for (const key of ['o-1', 'o-2', 'o-3']) await server.order(key, 'placed');
    await server.order('o-1', 'packed');
    await server.order('o-2', 'delivered');
    const page = await open(server);
    await show(page, { state: { topics: ['Order'] } });
    await text(page, '.progress', 'current');
    expect((await items(page)).toSorted()).toEqual(['o-1 packed', 'o-3 placed']);
    await server.order('o-3', 'delivered');
    await server.order('o-4', 'placed');
    await item(page, 'o-4').waitFor();
    expect(await items(page)).toEqual(['o-1 packed', 'o-4 placed']);
    expect(server.requests).toHaveLength(1);
  });

  it('shows the state of a server that was restarted, and nothing of the one before', async () => {
    const server = await serve();
    await server.order('o-1', 'placed');
    const page = await open(server);
    await show(page, { state: { topics: ['Order'] } });
    await text(page, '.progress', 'current');
    await server.restart();
    await server.order('o-2', 'placed');
    await item(page, 'o-2').waitFor();
    await text(page, '.progress', 'current');
    expect(await items(page)).toEqual(['o-2 placed']);
    await text(page, '.gap', 'restarted');
  });

  it('goes on from what the server has rendered, and asks for what changed since', async () => {
    const shown = (): Shown => {
      const { index, epoch, events } = server.broker.state({ topics: ['Order'], acl: Acl.management });
      return { state: { topics: ['Order'], initial: { index, epoch, events } } };
    };
    const server: OrderServer = await serve(() => {
      const rendered = shown();
      // React 18 takes what 19 has rendered: text and elements alone.
      return documentOf(script, renderToString(createElement(App, rendered)), rendered);
    });
    await server.order('o-1', 'placed');
    await server.order('o-2', 'placed');
    const html = await (await fetch(server.url)).text();
    expect(html).toContain('<li>o-1 placed</li><li>o-2 placed</li>');
    expect(server.requests).toEqual([]);

    const page = await open(server);
    await text(page, '.progress', 'current');
    expect(await items(page)).toEqual(['o-1 placed', 'o-2 placed']);
    await server.order('o-1', 'packed');
    await item(page, 'o-1 packed').waitFor();
    expect(await items(page)).toEqual(['o-1 packed', 'o-2 placed']);
    const { searchParams } = new URL(server.requests[0] ?? '', server.url);
    expect(searchParams.get('index')).toBe('3');
    expect(searchParams.get('epoch')).toBe(server.broker.position.epoch);
    expect(server.requests).toHaveLength(1);
  });

  it('says that its rights were taken away, and asks no more', async () => {
    const server = await serve();
    await server.order('o-1', 'placed');
    const page = await open(server);
    await show(page, { state: { topics: ['Order'], minDelayMs: 1 } });
    await text(page, '.progress', 'current');
    await server.deny();
    await text(page, '.status', 'closed');
    await text(page, '.error', 'permission_denied');
    expect(server.requests).toHaveLength(2);
  });

  // React 18 has none.
  if (react === '18') return;
  it('a hidden Activity holds no connection, and misses nothing', async () => {
    const server = await serve();
    const page = await open(server);
    const activity = (mode: 'visible' | 'hidden') =>
      page.evaluate(
        (given) => (globalThis as unknown as TestPage).showActivity(given, { stream: { topics: ['Order'] } }),
        mode,
      );
    await activity('visible');
    await server.order('o-1', 'placed');
    await item(page, 'o-1').waitFor();
    await activity('hidden');
    await server.streams(0);
    await server.order('o-2', 'placed');
    await activity('visible');
    await item(page, 'o-2').waitFor();
    expect(await batchesIn(page)).toEqual(['1 o-1', '2 o-2']);
  });
});
