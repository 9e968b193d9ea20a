import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { findChromium, launchChromium } from './chromium.ts';
import { StreamServer, type StreamServerOptions } from './stream-server.ts';

export const executable = findChromium();

/** What the tests of a file get: pages and servers, which end with each test. */
export interface BrowserForAll {
  serve(options?: StreamServerOptions): Promise<StreamServer>;
  newPage(options?: BrowserContextOptions): Promise<Page>;
  /** For several tabs of one browser. */
  newContext(options?: BrowserContextOptions): Promise<BrowserContext>;
  /** Opens the explorer. What the browser complains of fails the test. */
  open(server: StreamServer, options?: OpenOptions): Promise<Page>;
}

export interface OpenOptions extends BrowserContextOptions {
  /** Behind the server's own URL. */
  readonly fragment?: string;
}

/** One browser for all tests of a file, where there is one. */
export function browserForAll(): BrowserForAll {
  const servers: StreamServer[] = [];
  /** A server that is down, or refuses, is what some tests are about. */
  const complaints: string[] = [];
  let browser: Browser | undefined;
  beforeAll(async () => {
    if (executable) browser = await launchChromium(executable);
  });
  afterAll(async () => browser?.close());
  afterEach(async () => {
    for (const context of browser?.contexts() ?? []) await context.close();
    for (const server of servers.splice(0)) await server.stop();
    if (complaints.length > 0) throw new Error(`The browser complained: ${complaints.splice(0).join('\n')}`);
  });
  const started = (): Browser => {
    if (!browser) throw new Error('There is no browser.');
    return browser;
  };
  const newPage = async (options?: BrowserContextOptions): Promise<Page> => started().newPage(options);
  return {
    async serve(options) {
      const server = await StreamServer.start(options);
      servers.push(server);
      return server;
    },
    newPage,
    async open(server, { fragment = '', ...options } = {}) {
      const page = await newPage(options);
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('console', (message) => {
        const isComplaint = ['error', 'warning'].includes(message.type());
        if (isComplaint && !message.text().startsWith('Failed to load resource')) complaints.push(message.text());
      });
      await page.goto(`${server.url}/${fragment}`);
      return page;
    },
    newContext: async (options) => started().newContext(options),
  };
}
