import type { Locator, Page } from 'playwright-core';

/** The rows of the table, from the top. */
export const rows = (page: Page): Locator => page.locator('#rows tr');

export const rowWith = (page: Page, text: string): Locator => rows(page).filter({ hasText: text });

/** The text of a column, from the top. */
export function column(page: Page, name: string): Promise<readonly string[]> {
  return page.locator(`#rows td.${name}`).allTextContents();
}

/** Frames of the page that are waited for at most: half a minute of them. */
const MAX_FRAMES = 1800;

/**
 * Asks once a frame. The page's policy lets no text be run as a script, which the driver's own way to wait for a
 * condition would need.
 */
export async function until(page: Page, holds: () => Promise<boolean>): Promise<void> {
  for (let frame = 0; frame < MAX_FRAMES; frame++) {
    if (await holds()) return;
    await page.evaluate('new Promise((resolve) => void requestAnimationFrame(resolve))');
  }
  throw new Error(`It did not hold within ${MAX_FRAMES} frames.`);
}

/** Resolves when a column has these texts, from the top. */
export function columnHas(page: Page, name: string, texts: readonly string[]): Promise<void> {
  return until(page, async () => JSON.stringify(await column(page, name)) === JSON.stringify(texts));
}

/** Fills the fields with these labels, and applies them. */
export async function apply(page: Page, fields: Readonly<Record<string, string>>): Promise<void> {
  for (const [label, text] of Object.entries(fields)) await page.getByLabel(label, { exact: true }).fill(text);
  await page.getByRole('button', { name: 'Apply' }).click();
}

/** Resolves when the stream is up: what is published from then on is live. */
export async function live(page: Page): Promise<void> {
  await page.locator('#state[data-state="live"]').waitFor();
}
