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
  const started = (): Browser => {
    if (!browser) throw new Error('There is no browser.');
    return browser;
  };
  return {
    async serve(options) {
      const server = await StreamServer.start(options);
      servers.push(server);
      return server;
    },
    newPage: async (options) => started().newPage(options),
    newContext: async (options) => started().newContext(options),
  };
}
