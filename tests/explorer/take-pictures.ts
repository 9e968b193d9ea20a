// The README's pictures of the explorer: npm run example tests/explorer/take-pictures.ts
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { startCluster } from '../../examples/cluster/simulated-cluster.ts';
import { findChromium, launchChromium } from './chromium.ts';
import { StreamServer } from './stream-server.ts';

/** Long enough for the chart to show something. */
const POSE_MS = 25_000;

async function takePicture(browser: Browser, url: string, colorScheme: 'light' | 'dark', name: string): Promise<void> {
  const page = await browser.newPage({ colorScheme, viewport: { width: 1280, height: 720 }, deviceScaleFactor: 1.5 });
  await page.goto(url);
  await page.waitForTimeout(POSE_MS);
  await page.locator('tr', { hasText: 'PlanResult' }).first().dispatchEvent('click');
  await page.mouse.move(0, 0);
  await page.screenshot({ path: fileURLToPath(new URL(`../../examples/${name}.png`, import.meta.url)) });
}

const executable = findChromium();
if (!executable) throw new Error('No chromium on the PATH.');
const browser = await launchChromium(executable);
const server = await StreamServer.start();
const cluster = startCluster(server.broker, { paceMs: 120 });
await cluster.ready;
await Promise.all([
  takePicture(browser, server.url, 'light', 'explorer'),
  takePicture(browser, server.url, 'dark', 'explorer-dark'),
]);
cluster.stop();
await browser.close();
await server.stop();
