// The pictures of the explorer that the documents show: npm run pictures
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { startCluster } from '../../examples/cluster/simulated-cluster.ts';
import { Acl } from '../../src/index.ts';
import { findChromium, launchChromium } from './chromium.ts';
import { StreamServer } from './stream-server.ts';

/** Long enough for the chart to show something. */
const POSE_MS = 25_000;
/** A document with pictures is read on phones too. */
const MAX_BYTES = 150_000;
const viewport = { width: 1100, height: 600 };

async function takePicture(page: Page, name: string): Promise<void> {
  await page.mouse.move(0, 0);
  const picture = await page.screenshot();
  if (picture.length > MAX_BYTES) throw new Error(`${name} has ${picture.length} bytes; allowed ${MAX_BYTES}.`);
  await writeFile(fileURLToPath(new URL(`../../examples/${name}.png`, import.meta.url)), picture);
}

async function takeEvents(browser: Browser, colorScheme: 'light' | 'dark', name: string): Promise<void> {
  const page = await browser.newPage({ colorScheme, viewport });
  await page.goto(server.url);
  await page.getByLabel('Token').fill('root-secret');
  await page.getByRole('button', { name: 'Apply' }).click();
  await page.waitForTimeout(POSE_MS);
  await page.locator('tr', { hasText: 'AllocationUpdated' }).first().dispatchEvent('click');
  await page.getByLabel('Changes since').check();
  await takePicture(page, name);
}

async function takeOperator(browser: Browser): Promise<void> {
  for (const [accessorId, topic] of [
    ['alice', 'Job'],
    ['bob', 'Allocation'],
    ['ci', 'Deployment'],
  ] as const)
    await server.broker.subscribe({ topics: [topic], namespace: '*', acl: managerNamed(accessorId), index: 'latest' });
  const page = await browser.newPage({ colorScheme: 'light', viewport: { width: 1100, height: 470 } });
  await page.goto(`${server.url}/#view=operator`);
  await page.getByLabel('Token').fill('root-secret');
  await page.getByRole('button', { name: 'Apply' }).click();
  await page.waitForTimeout(POSE_MS);
  await takePicture(page, 'explorer-operator');
}

function managerNamed(accessorId: string): Acl {
  return Acl.fromRules([], { management: true, accessorId });
}

const executable = findChromium();
if (!executable) throw new Error('No chromium on the PATH.');
const browser = await launchChromium(executable);
const server = await StreamServer.start({ withAcl: true });
const cluster = startCluster(server.broker, { paceMs: 120 });
await cluster.ready;
try {
  await takeEvents(browser, 'light', 'explorer');
  await takeEvents(browser, 'dark', 'explorer-dark');
  await takeOperator(browser);
} finally {
  cluster.stop();
  await browser.close();
  await server.stop();
}
