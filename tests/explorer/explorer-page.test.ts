import type { Locator, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { startCluster } from '../../examples/cluster/simulated-cluster.ts';
import { browserForAll, executable } from './browser-for-all.ts';
import { apply, column, rows, rowWith } from './page-parts.ts';

const isRequired = process.env['CI'] === 'true';
if (!executable) console.warn('No chromium on the PATH: the explorer is not tested in a browser.');

const { serve, open } = browserForAll();

it('a browser is there where it is required', () => {
  expect(executable !== undefined || !isRequired).toBe(true);
});

describe.skipIf(!executable)('explorer page', () => {
  it('shows the backlog of a cluster and what comes, the newest first', async () => {
    const server = await serve();
    const cluster = startCluster(server.broker, { historyBatches: 100, paceMs: 3_600_000 });
    await cluster.ready;
    const page = await open(server);
    await rowWith(page, 'NodeRegistration').last().waitFor();
    await page.getByText('Live', { exact: true }).first().waitFor();
    const index = await server.publish('fresh');
    await rowWith(page, 'fresh').waitFor();
    const indexes = (await column(page, 'index')).map(Number);
    expect(indexes[0]).toBe(index);
    expect(indexes.at(-1)).toBe(7);
    expect(indexes).toEqual(indexes.toSorted((a, b) => b - a));
    await page.locator('#index', { hasText: String(index) }).waitFor();
    cluster.stop();
  });

  it('asks the server for topics, keys, namespaces and a start, and filters types by itself', async () => {
    const server = await serve();
    await server.publish('web', 'prod');
    const second = await server.publish('api', 'default');
    await server.publish('db', 'default');
    await server.deregister('api');
    const page = await open(server);
    await rowWith(page, 'JobDeregistered').waitFor();
    expect(await rows(page).count()).toBe(4);

    await page.getByLabel('Show types').fill('deregistered');
    expect(await column(page, 'type')).toEqual(['JobDeregistered']);
    await page.getByLabel('Show types').fill('');
    expect(await rows(page).count()).toBe(4);

    await apply(page, { Topics: 'Job:web, Job:api', Namespace: 'default' });
    await rowWith(page, 'JobDeregistered').waitFor();
    expect(await column(page, 'key')).toEqual(['api', 'api']);

    await apply(page, { Topics: '', Namespace: '', 'From index': String(second + 1) });
    await rowWith(page, 'JobDeregistered').waitFor();
    expect(await column(page, 'key')).toEqual(['api', 'db']);
    expect(await page.locator('#request').textContent()).toBe(`GET /v1/event/stream?index=${second + 1}`);
  });

  it('opens and closes a payload by the keyboard alone, and shows it as text', async () => {
    const server = await serve();
    const trap = '<img src=x onerror=alert(1)>';
    await server.publish('web');
    await server.publish(trap);
    const page = await open(server);
    await rowWith(page, trap).waitFor();

    await page.getByLabel('Show types').focus();
    // Past the button, into the scrolling region if it scrolls, and to the one row that Tab leads to.
    while (!(await page.locator('tr:focus').count())) await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    const details = page.getByRole('complementary', { name: 'JobRegistered' });
    await details.waitFor();
    expect(JSON.parse((await page.locator('#payload').textContent()) ?? '')).toMatchObject({ Job: { ID: 'web' } });
    await page.keyboard.press('Escape');
    await details.waitFor({ state: 'hidden' });
    expect(await page.locator('tr:focus').textContent()).toContain('web');

    await page.keyboard.press('ArrowUp');
    await page.keyboard.press(' ');
    await page.locator('#payload', { hasText: trap }).waitFor();
    expect(await page.locator('img').count()).toBe(0);
  });

  it('opens the row that was pressed, though events come before the release', async () => {
    const server = await serve();
    await server.publish('pressed');
    const page = await open(server);
    await rowWith(page, 'pressed').hover();
    await page.mouse.down();
    for (let i = 0; i < 5; i++) await server.publish(`later-${i}`);
    await page.locator('#count', { hasText: '6' }).waitFor();
    expect(await rows(page).count()).toBe(1);
    await page.mouse.up();
    await page.locator('#payload', { hasText: '"pressed"' }).waitFor();
    await rowWith(page, 'later-4').waitFor();
  });

  it('keeps the rows in place for a reader who has scrolled down', async () => {
    const server = await serve();
    for (let i = 0; i < 100; i++) await server.publish(`job-${i}.`);
    const page = await open(server);
    const watched = rowWith(page, 'job-50.');
    await watched.scrollIntoViewIfNeeded();
    const before = await watched.boundingBox();
    for (let i = 0; i < 20; i++) await server.publish('later');
    await rowWith(page, 'later').nth(19).waitFor();
    expect(await watched.boundingBox()).toEqual(before);
  });

  it('can be read by its roles and names', async () => {
    const server = await serve();
    await server.publish('web');
    const page = await open(server);
    await page.getByRole('grid', { name: 'Events, the newest first' }).getByRole('row', { name: /web/ }).waitFor();
    await page
      .getByRole('status')
      .filter({ hasText: /Connecting|Live/ })
      .waitFor();
    await page.getByRole('img', { name: /Live events per second/ }).waitFor();
    await page.getByRole('heading', { name: 'Event stream' }).waitFor();
    const headings = await page.getByRole('columnheader').allInnerTexts();
    expect(headings).toEqual(['Received', 'Index', 'Topic', 'Type', 'Key', 'Namespace']);
  });

  it('paused shows nothing new, and resumed all of it once', async () => {
    const server = await serve();
    await server.publish('first');
    const page = await open(server);
    await rowWith(page, 'first').waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await server.idle();
    for (const id of ['second', 'third']) await server.publish(id);
    await page.getByText('Paused').first().waitFor();
    expect(await column(page, 'key')).toEqual(['first']);
    await page.getByRole('button', { name: 'Resume' }).click();
    await rowWith(page, 'third').waitFor();
    expect(await column(page, 'key')).toEqual(['third', 'second', 'first']);
  });

  it('outlives a restart of the server, and shows the outage and the gap where they happened', async () => {
    const server = await serve();
    await server.publish('before');
    const page = await open(server);
    await rowWith(page, 'before').waitFor();
    await server.stop();
    await page.getByText('Cut off; connecting again').first().waitFor();
    const next = await serve({ port: server.port });
    await next.publish('after');
    await rowWith(page, 'after').waitFor();
    const kinds = await rows(page).evaluateAll((all) => all.map((row) => (row as { className: string }).className));
    const isInOrder = /^event.*,gap,.*bad.*,event$/.test(kinds.join(','));
    expect([isInOrder, kinds]).toEqual([true, kinds]);
    expect(await page.locator('tr.gap').textContent()).toContain('restarted');
  });

  it('ends with its reason in sight when its token is revoked', async () => {
    const server = await serve({ withAcl: true });
    await server.publish('web');
    const page = await open(server);
    await rowWith(page, 'permission_denied').waitFor();
    await apply(page, { Topics: 'Job', Namespace: 'default', Token: 'reader-secret' });
    await rowWith(page, 'JobRegistered').waitFor();
    await server.revoke();
    await rowWith(page, 'acl_revoked').waitFor();
    expect(await page.locator('#state').textContent()).toContain('acl_revoked');
    expect(await page.getByRole('button', { name: 'Pause' }).isDisabled()).toBe(true);
  });

  it('keeps its token in the tab, and sends it in a header of the stream alone', async () => {
    const server = await serve({ withAcl: true });
    await server.publish('web');
    const page = await open(server);
    await page.context().addCookies([]);
    const asked: { readonly url: string; readonly token: string | undefined }[] = [];
    page.on('request', (request) => asked.push({ url: request.url(), token: request.headers()['x-nomad-token'] }));
    await apply(page, { Topics: 'Job', Namespace: 'default', Token: 'reader-secret' });
    await rowWith(page, 'JobRegistered').waitFor();
    const paths = new Set(asked.map(({ url }) => new URL(url).pathname));
    expect([...paths].toSorted()).toEqual(['/v1/event/stream', '/v1/event/topics']);
    expect([...new Set(asked.map(({ token }) => token))]).toEqual(['reader-secret']);
    const seen = [...asked.map(({ url }) => url), page.url(), await page.content()].join();
    expect(seen).not.toContain('reader-secret');
    const { cookies, origins } = await page.context().storageState({ indexedDB: true });
    expect([cookies, origins]).toEqual([[], []]);
    await page.reload();
    await rowWith(page, 'permission_denied').waitFor();
    expect(await page.getByLabel('Token').inputValue()).toBe('');
  });

  it('holds no more than 500 rows, the newest, however many events come', async () => {
    const server = await serve();
    const page = await open(server);
    for (let i = 0; i < 3000; i++) {
      await server.publish(`job-${i}`);
      if (i % 100 === 0) await new Promise(setImmediate);
    }
    await page.locator('#rows tr:first-child', { hasText: 'job-2999' }).waitFor();
    expect(await rows(page).count()).toBe(500);
    expect(await rows(page).last().textContent()).toContain('job-2500');
    await page.getByLabel('Show types').fill('nothing');
    expect(await rows(page).count()).toBe(0);
  });
});

describe.skipIf(!executable)('explorer page, as state', () => {
  const asState = (page: Page): Locator => page.getByRole('checkbox', { name: 'As state' });
  const told = (page: Page, text: string): Promise<void> => page.locator('#state-text', { hasText: text }).waitFor();

  it('has a row for each object with its newest event, in order, and updates it where it stands', async () => {
    const server = await serve();
    for (const id of ['web', 'api', 'web']) await server.publish(id);
    await server.publish('web', 'prod');
    const page = await open(server);
    await rows(page).nth(3).waitFor();
    await asState(page).check();
    await told(page, 'Live: current');
    await rows(page).nth(2).waitFor();
    expect(await column(page, 'key')).toEqual(['api', 'web', 'web']);
    expect(await column(page, 'index')).toEqual(['2', '3', '4']);
    expect(await page.locator('#request').textContent()).toMatch(/&state=true$/);
    await page.getByText('Objects', { exact: true }).waitFor();

    const row = await rows(page).nth(0).elementHandle();
    const index = await server.deregister('api');
    await rowWith(page, 'JobDeregistered').waitFor();
    expect(await column(page, 'key')).toEqual(['api', 'web', 'web']);
    expect(await row?.textContent()).toContain(String(index));

    await server.publish('db');
    await rowWith(page, 'db').waitFor();
    expect(await column(page, 'key')).toEqual(['api', 'db', 'web', 'web']);
    await server.purge('api');
    await rowWith(page, 'api').waitFor({ state: 'detached' });
    expect(await column(page, 'key')).toEqual(['db', 'web', 'web']);
    await page.locator('#count', { hasText: '3' }).waitFor();

    await asState(page).uncheck();
    await page.getByText('Live', { exact: true }).first().waitFor();
    await rowWith(page, 'JobDeregistered').last().waitFor();
    expect(await rows(page).count()).toBe(7);
  });

  it('can be used by the keyboard alone: the view, a payload that is kept up to date, and rows that go', async () => {
    const server = await serve();
    for (const id of ['api', 'db', 'web']) await server.publish(id);
    const page = await open(server);
    await rowWith(page, 'web').waitFor();
    await page.getByLabel('Token').focus();
    await page.keyboard.press('Tab');
    await page.keyboard.press(' ');
    await told(page, 'Live: current');
    await rows(page).nth(2).waitFor();
    await page.getByRole('grid', { name: 'State: the newest event of each object' }).waitFor();

    while (!(await page.locator('tr:focus').count())) await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByRole('complementary', { name: 'JobRegistered' }).waitFor();
    await server.deregister('db');
    await page.getByRole('complementary', { name: 'JobDeregistered' }).waitFor();
    expect(await page.locator('#payload:focus').count()).toBe(1);
    // Its row goes, and with it the payload; the focus is with the row beside it.
    await server.purge('db');
    await page.getByRole('complementary').waitFor({ state: 'hidden' });
    await page.locator('tr:focus', { hasText: 'web' }).waitFor();
    await server.purge('web');
    await page.locator('tr:focus', { hasText: 'api' }).waitFor();
    await page.keyboard.press('Enter');
    await page.locator('#payload', { hasText: '"api"' }).waitFor();
  });

  it('begins anew when the server does, and has nothing of the old one', async () => {
    const server = await serve();
    for (const id of ['old', 'same']) await server.publish(id);
    const page = await open(server);
    await asState(page).check();
    await told(page, 'Live: current');
    await server.stop();
    await told(page, 'Cut off; connecting again');
    const next = await serve({ port: server.port });
    for (const id of ['same', 'new']) await next.publish(id);
    await told(page, 'Live: current');
    await rowWith(page, 'new').waitFor();
    expect(await column(page, 'key')).toEqual(['new', 'same']);
  });

  it('paused and resumed past what is remembered begins anew, and shows what is there', async () => {
    const server = await serve({ buffer: { maxBatches: 4, maxRemovals: 2 } });
    for (const id of ['a', 'b', 'c', 'd', 'e']) await server.publish(id);
    const page = await open(server);
    await asState(page).check();
    await told(page, 'Live: current');
    await rowWith(page, 'JobRegistered').nth(4).waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await server.idle();
    for (const id of ['a', 'b', 'c', 'd']) await server.purge(id);
    for (const id of ['f', 'g', 'h', 'f', 'g', 'h']) await server.publish(id);
    await page.getByRole('button', { name: 'Resume' }).click();
    await rowWith(page, 'h').waitFor();
    await told(page, 'Live: current');
    await page.locator('#notice', { hasText: 'Gap: state' }).waitFor();
    expect(await column(page, 'key')).toEqual(['e', 'f', 'g', 'h']);
  });

  it('shows the first 500 objects of more, and says so', async () => {
    const server = await serve();
    for (let i = 0; i < 600; i++) await server.publish(`job-${String(i).padStart(3, '0')}`);
    const page = await open(server);
    await asState(page).check();
    await told(page, 'Live: current');
    await page.locator('#rest', { hasText: 'The first 500 of 600 are shown' }).waitFor();
    expect(await rows(page).count()).toBe(500);
    expect(await rows(page).last().textContent()).toContain('job-499');
    await server.purge('job-007');
    await rowWith(page, 'job-500').waitFor();
    expect(await rows(page).count()).toBe(500);
  });

  it('fits on a phone, where the table scrolls and the page does not sideways', async () => {
    const server = await serve();
    for (const id of ['api', 'web']) await server.publish(id);
    const page = await open(server, { viewport: { width: 375, height: 667 }, hasTouch: true });
    await asState(page).tap();
    await told(page, 'Live: current');
    await rowWith(page, 'web').tap();
    await page.locator('#payload', { hasText: '"web"' }).waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(375);
  });
});
