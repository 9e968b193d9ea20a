// What the page shows of a stream, chosen in its ways: the URL, the list of topics, a cell, a search.
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { browserForAll, executable } from './browser-for-all.ts';
import { apply, columnHas, live, rows, rowWith } from './page-parts.ts';

const { serve, open } = browserForAll();
/** Asked of the page: the driver's own `page.url()` comes later. */
const fragment = (page: Page): Promise<string> => page.evaluate('location.hash');
const topics = (page: Page) => page.getByRole('group', { name: 'Known topics' }).getByRole('button');

describe.skipIf(!executable)('the filters of the explorer', () => {
  it('stand in the URL, so that another tab shows the same', async () => {
    const server = await serve();
    for (const id of ['web', 'api', 'web']) await server.publish(id);
    await server.deregister('web');
    const page = await open(server);
    await apply(page, { Topics: 'Job:web, Node', Namespace: 'default', 'From index': '2' });
    await page.getByLabel('Show types').fill('registered');
    await page.getByLabel('Search').fill('web');
    await rows(page).nth(1).waitFor();
    expect(await fragment(page)).toBe(
      '#topic=Job:web&topic=Node&namespace=default&index=2&types=registered&search=web',
    );

    const other = await open(server, { fragment: await fragment(page) });
    await rows(other).nth(1).waitFor();
    await columnHas(other, 'index', ['4', '3']);
    expect(await other.getByLabel('Topics', { exact: true }).inputValue()).toBe('Job:web, Node');
    expect(await other.locator('#request').textContent()).toContain(
      'topic=Job:web&topic=Node&namespace=default&index=2',
    );
  });

  it('go back and forward with the browser, the views too', async () => {
    const server = await serve();
    for (const id of ['web', 'api', 'web']) await server.publish(id);
    const page = await open(server);
    await rows(page).nth(2).waitFor();
    await apply(page, { Topics: 'Job:api' });
    await rows(page).nth(1).waitFor({ state: 'detached' });
    await page.getByRole('checkbox', { name: 'As state' }).check();
    await page.getByText('Live: current').first().waitFor();
    await page.getByRole('checkbox', { name: 'Operator' }).check();
    await page.locator('#operator').waitFor();

    await page.goBack();
    await page.getByRole('grid', { name: 'State: the newest event of each object' }).waitFor();
    await page.goBack();
    await page.getByRole('grid', { name: 'Events, the newest first' }).waitFor();
    await columnHas(page, 'key', ['api']);
    await page.goBack();
    await rows(page).nth(2).waitFor();
    expect(await page.getByLabel('Topics', { exact: true }).inputValue()).toBe('');
    await page.goForward();
    await columnHas(page, 'key', ['api']);
  });

  it('never take a token from the URL, nor put one there', async () => {
    const server = await serve({ withAcl: true });
    await server.publish('web');
    const page = await open(server, { fragment: '#token=reader-secret&topic=Job&namespace=default' });
    await rowWith(page, 'permission_denied').waitFor();
    expect(await page.evaluate('location.href')).not.toContain('secret');
    await apply(page, { Token: 'reader-secret' });
    await rowWith(page, 'JobRegistered').waitFor();
    await page.getByLabel('Search').fill('w');
    expect(await fragment(page)).toBe('#topic=Job&namespace=default&search=w');
  });

  it('are offered as the topics that the reader may see, and others with another token', async () => {
    const server = await serve({ withAcl: true });
    await server.publish('web');
    const page = await open(server);
    await rowWith(page, 'permission_denied').waitFor();
    expect(await topics(page).count()).toBe(0);

    await apply(page, { Topics: 'Job', Namespace: 'default', Token: 'reader-secret' });
    await topics(page).filter({ hasText: 'Service' }).waitFor();
    const mayRead = await topics(page).allTextContents();
    expect(mayRead).toContain('Job');
    expect(mayRead).not.toContain('Node');
    expect(mayRead).not.toContain('ACLToken');
    expect(mayRead).toEqual(mayRead.toSorted());

    await apply(page, { Token: 'root-secret' });
    await topics(page).filter({ hasText: 'ACLToken' }).waitFor();
    await server.revoke('root');
    await rowWith(page, 'acl_revoked').waitFor();
    await apply(page, {});
    await rowWith(page, 'permission_denied').waitFor();
    expect(await topics(page).count()).toBe(0);
  });

  it('take a topic of the list in, and out again', async () => {
    const server = await serve();
    await server.publish('web');
    await server.publishNode('n1');
    const page = await open(server);
    const node = topics(page).filter({ hasText: /^Node$/ });
    await node.waitFor();
    expect(await node.getAttribute('aria-pressed')).toBe('false');
    await node.click();
    await columnHas(page, 'topic', ['Node']);
    expect(await node.getAttribute('aria-pressed')).toBe('true');
    expect(await fragment(page)).toBe('#topic=Node');
    await node.press('Enter');
    await rows(page).nth(1).waitFor();
    expect(await node.getAttribute('aria-pressed')).toBe('false');
  });

  it('are set by a click into a cell: topic, key, namespace and type', async () => {
    const server = await serve();
    await server.publish('web', 'prod');
    await server.publish('a, b');
    await server.publish('web');
    await server.deregister('web');
    await server.publishNode('n1');
    const page = await open(server);
    const fields = { topic: 'Job', key: 'a, b', namespace: 'prod', type: 'JobDeregistered' };
    const left = { topic: 4, key: 1, namespace: 2, type: 1 };
    const at: Record<string, string> = {
      topic: '#topic=Job',
      key: String.raw`#topic=Job:a%2C+b`,
      namespace: '#namespace=prod',
      type: '#types=JobDeregistered',
    };
    for (const [field, text] of Object.entries(fields)) {
      await rows(page).nth(4).waitFor();
      await page
        .locator(`#rows td.${field} button`, { hasText: new RegExp(`^${text}$`) })
        .last()
        .click();
      const count = left[field as keyof typeof left];
      await rows(page).nth(count).waitFor({ state: 'detached' });
      await rows(page)
        .nth(count - 1)
        .waitFor();
      expect(await fragment(page)).toBe(at[field]);
      await page.goBack();
    }
  });

  it('are reached in a row by the keyboard', async () => {
    const server = await serve();
    for (const id of ['web', 'api']) await server.publish(id);
    const page = await open(server);
    await rowWith(page, 'web').waitFor();
    await rows(page).first().focus();
    for (const key of ['ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowLeft'])
      await page.keyboard.press(key);
    expect(await page.locator(':focus').textContent()).toBe('api');
    await page.keyboard.press('Enter');
    await rowWith(page, 'web').waitFor({ state: 'detached' });
    expect(await fragment(page)).toBe('#topic=Job:api');
    expect(await page.locator('#details').isVisible()).toBe(false);
    // The row that was left is gone; the focus goes on.
    await page.locator('tr:focus', { hasText: 'api' }).waitFor();

    await page.keyboard.press('Enter');
    await page.locator('#facts').getByRole('button', { name: 'Show only this topic' }).press('Enter');
    await page.locator('tr:focus', { hasText: 'api' }).waitFor();
    expect(await fragment(page)).toBe('#topic=Job');
  });

  it('find a text in what is shown, payloads too, while more comes', async () => {
    const server = await serve();
    for (const id of ['web', 'api']) await server.publish(id);
    const page = await open(server);
    await rows(page).nth(1).waitFor();
    await page.getByLabel('Search').fill('"id":"API"');
    await columnHas(page, 'key', ['api']);
    await server.publish('web');
    await server.publish('api');
    await rows(page).nth(1).waitFor();
    await columnHas(page, 'key', ['api', 'api']);
    await page
      .getByRole('status')
      .filter({ hasText: /^1 row$/ })
      .waitFor();
    await page.getByLabel('Search').fill('');
    expect(await rows(page).count()).toBe(4);

    await page.getByRole('checkbox', { name: 'As state' }).check();
    await rowWith(page, 'web').waitFor();
    await page.getByLabel('Search').fill('api');
    await columnHas(page, 'key', ['api']);
    await live(page);
  });
});
