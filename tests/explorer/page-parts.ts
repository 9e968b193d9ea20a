import type { Locator, Page } from 'playwright-core';

/** The rows of the table, from the top. */
export const rows = (page: Page): Locator => page.locator('#rows tr');

export const rowWith = (page: Page, text: string): Locator => rows(page).filter({ hasText: text });

/** The text of a column, from the top. */
export function column(page: Page, name: string): Promise<readonly string[]> {
  return page.locator(`#rows td.${name}`).allTextContents();
}

/** Resolves when a column has these texts, from the top. */
export async function columnHas(page: Page, name: string, texts: readonly string[]): Promise<void> {
  const cells = `[...document.querySelectorAll('#rows td.${name}')].map((cell) => cell.textContent)`;
  const wanted = JSON.stringify(JSON.stringify(texts));
  await page.waitForFunction(`JSON.stringify(${cells}) === ${wanted}`);
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
