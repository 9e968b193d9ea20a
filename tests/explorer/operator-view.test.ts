import type { Locator, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { browserForAll, executable } from './browser-for-all.ts';
import type { StreamServer, StreamServerOptions } from './stream-server.ts';

const { serve, newPage } = browserForAll();

async function open(options: StreamServerOptions = {}): Promise<{ server: StreamServer; page: Page }> {
  const server = await serve({ withAcl: true, ...options });
  const page = await newPage();
  await page.goto(server.url);
  return { server, page };
}

const choice = (page: Page): Locator => page.getByRole('checkbox', { name: 'Operator' });
const streams = (page: Page): Locator => page.locator('#stream-rows tr');

async function asRoot(page: Page): Promise<void> {
  await page.getByLabel('Token').fill('root-secret');
  await choice(page).check();
}

describe.skipIf(!executable)('the operator’s view', () => {
  it('shows the streams of everybody, the backlog and the log to a management token, and keeps up', async () => {
    const { server, page } = await open();
    await server.publish('web');
    const reader = await server.broker.subscribe({ topics: ['Job'], token: 'reader-secret' });
    await asRoot(page);
    const row = streams(page).filter({ hasText: 'a-reader' });
    await row.waitFor();
    expect(await row.locator('td').allTextContents()).toEqual(
      expect.arrayContaining(['a-reader', 'Job:*', 'default', 'events, in process', 'behind', '0', '1', '0 B']),
    );
    const facts = await page.locator('#operator-facts').textContent();
    expect(facts).toMatch(/Streams1: 1 behind.*Backlog1 batches.*indexes 1 to 1.*Lognone/);
    expect(await page.getByRole('grid').count()).toBe(0);

    reader.close();
    await row.waitFor({ state: 'detached' });
    await page.locator('#operator-facts', { hasText: '1 none' }).waitFor();
    await choice(page).uncheck();
    await page.getByRole('grid', { name: 'Events, the newest first' }).waitFor();
    expect(await page.locator('#operator').isVisible()).toBe(false);
  });

  it('refuses everybody else, and takes away what it showed when the token is revoked', async () => {
    const { server, page } = await open();
    await choice(page).check();
    const denied = page.locator('#operator-notice', { hasText: 'Permission denied: this takes a management token.' });
    await denied.waitFor();
    expect(await streams(page).count()).toBe(0);

    await server.broker.subscribe({ topics: ['Job'], token: 'reader-secret' });
    await page.getByLabel('Token').fill('root-secret');
    await streams(page).first().waitFor();
    await denied.waitFor({ state: 'hidden' });
    await server.revoke('root');
    await denied.waitFor();
    expect(await streams(page).count()).toBe(0);
    expect(await page.locator('#operator-facts').textContent()).toBe('');
  });

  it('shows the streams that are furthest behind, says that there are more, and shows text as text', async () => {
    const { server, page } = await open({ maxStreams: 2 });
    const trap = '<img src=x onerror=alert(1)>';
    await server.publish('web');
    const inStep = await server.broker.subscribe({ topics: ['Job'], token: 'root-secret', index: 'latest' });
    for (const key of [trap, 'web'] as const)
      await server.broker.subscribe({ topics: [`Job:${key}`], token: 'root-secret', index: 0 });
    await asRoot(page);
    await page.locator('#operator-rest', { hasText: 'The 2 that are furthest behind are shown, of 3.' }).waitFor();
    expect(await streams(page).count()).toBe(2);
    expect(await page.locator('img').count()).toBe(0);
    inStep.close();
    await page.locator('#operator-rest').waitFor({ state: 'hidden' });
  });

  it('says that the server does not answer, and asks only while it is in sight', async () => {
    const { server, page } = await open();
    await asRoot(page);
    await page.locator('#operator-facts', { hasText: 'Streams' }).waitFor();
    await server.stop();
    await page.locator('#operator-notice', { hasText: 'The server does not answer.' }).waitFor();
    await choice(page).uncheck();
    await page.getByRole('grid').waitFor();
    expect(await page.evaluate('document.querySelector("#stream-rows").children.length')).toBe(0);
  });
});
