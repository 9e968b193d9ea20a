import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { findChromium, launchChromium } from './chromium.ts';
import { StreamServer, type StreamServerOptions } from './stream-server.ts';

export const executable = findChromium();

/** What the tests of a file get: pages and servers, which end with each test. */
export interface BrowserForAll {
  serve(options?: StreamServerOptions): Promise<StreamServer>;
  newPage(options?: BrowserContextOptions): Promise<Page>;
}

/** One browser for all tests of a file, where there is one. */
export function browserForAll(): BrowserForAll {
  const servers: StreamServer[] = [];
  let browser: Browser | undefined;
  beforeAll(async () => {
    if (executable) browser = await launchChromium(executable);
  });
  afterAll(async () => browser?.close());
  afterEach(async () => {
    for (const context of browser?.contexts() ?? []) await context.close();
    for (const server of servers.splice(0)) await server.stop();
  });
  return {
    async serve(options) {
      const server = await StreamServer.start(options);
      servers.push(server);
      return server;
    },
    async newPage(options) {
      if (!browser) throw new Error('There is no browser.');
      return browser.newPage(options);
    },
  };
}
