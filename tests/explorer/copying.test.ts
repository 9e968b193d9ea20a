// What the page hands on: a command, a payload, a file; and what it says of an event beside the one before.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { browserForAll, executable } from './browser-for-all.ts';
import { apply, live, rows, rowWith, until } from './page-parts.ts';

const { serve, open } = browserForAll();
const permissions = ['clipboard-read', 'clipboard-write'];
const clipboard = (page: Page): Promise<string> => page.evaluate('navigator.clipboard.readText()');
const copied = (page: Page): Promise<void> =>
  page.getByRole('status').filter({ hasText: 'was copied' }).waitFor({ state: 'attached' });
const lines = (text: string | null): readonly string[] => (text ?? '').split('\n');

describe.skipIf(!executable)('the explorer hands on', () => {
  it('the request as a command that works in a shell, with a variable in the place of the token', async () => {
    const server = await serve({ withAcl: true });
    await server.publish("it's");
    const page = await open(server, { permissions });
    await rowWith(page, 'permission_denied').waitFor();
    await apply(page, { Topics: "Job:it's", Namespace: 'default', Token: 'reader-secret' });
    await rowWith(page, 'JobRegistered').waitFor();
    await page.getByRole('button', { name: 'Copy as curl' }).click();
    await copied(page);
    const command = await clipboard(page);
    expect(command).toBe(
      `curl -sN -H "X-Nomad-Token: $TOKEN" '${server.url}/v1/event/stream?topic=Job:it%27s&namespace=default&index=0'`,
    );
    const env = { ...process.env, TOKEN: 'reader-secret' };
    const { stdout } = await promisify(execFile)('sh', ['-c', `${command} | head -2`], { env });
    expect(lines(stdout)[1]).toContain('"Key":"it\'s"');
  });

  it('the payload, all of it, with the clipboard and without', async () => {
    const server = await serve();
    await server.publish('web');
    const page = await open(server, { permissions });
    await rowWith(page, 'web').waitFor();
    await rows(page).first().press('Enter');
    await page.getByRole('button', { name: 'Copy payload' }).click();
    await copied(page);
    expect(JSON.parse(await clipboard(page))).toMatchObject({ Job: { ID: 'web' } });

    // As over plain HTTP from another machine.
    await page.evaluate("navigator.clipboard.writeText('old')");
    await page.evaluate(
      "window.read = () => Navigator.prototype.__lookupGetter__('clipboard').call(navigator).readText()",
    );
    await page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined, configurable: true })");
    await page.getByRole('button', { name: 'Copy payload' }).click();
    await until(page, async () => (await page.evaluate('window.read()')) !== 'old');
    expect(JSON.parse(await page.evaluate('window.read()'))).toMatchObject({ Job: { ID: 'web' } });
    expect(await page.locator(':focus').textContent()).toBe('Copy payload');
  });

  it('what is shown as a file, in the lines of the stream', async () => {
    const server = await serve();
    for (const id of ['web', 'api', 'web']) await server.publish(id);
    const page = await open(server);
    await rows(page).nth(2).waitFor();
    await page.getByLabel('Search').fill('web');
    const saved = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Export' }).click();
    const download = await saved;
    expect(download.suggestedFilename()).toBe('events-3.ndjson');
    const text = await readFile(await download.path(), 'utf8');
    const stream = await fetch(`${server.url}/v1/event/stream?topic=Job:web`);
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    let wire = '';
    while (lines(wire).length < 4) wire += (await reader?.read())?.value ?? '';
    await reader?.cancel();
    // Behind the first heartbeat.
    expect(lines(text)).toEqual(lines(wire).slice(1));
  });
});

describe.skipIf(!executable)('the explorer compares an event with the one before', () => {
  it('of the same key, as a difference that is read without colours', async () => {
    const server = await serve();
    await server.publish('web', 'default', 1);
    await server.publish('web', 'prod', 7);
    await server.publish('api', 'default', 8);
    await server.publish('web', 'default', 2);
    const page = await open(server);
    await rows(page).nth(3).waitFor();
    await rows(page).first().press('Enter');
    const compare = page.getByRole('checkbox', { name: 'Changes since the event before of this key' });
    await compare.check();
    expect(lines(await page.locator('#payload').textContent())).toEqual([
      '  Changes since JobRegistered at index 1:',
      '  {',
      '    "Job": {',
      '      … 2 unchanged',
      '-     "Version": 1',
      '+     "Version": 2',
      '    }',
      '  }',
    ]);
    expect(await page.locator('#payload ins').allTextContents()).toEqual(['+     "Version": 2']);
    expect(await page.locator('#payload del').allTextContents()).toEqual(['-     "Version": 1']);
    // It stays chosen from row to row.
    await rows(page).nth(1).press('Enter');
    expect(await page.locator('#payload').textContent()).toContain('This page holds no event of this key');
    await compare.uncheck();
    expect(JSON.parse((await page.locator('#payload').textContent()) ?? '')).toMatchObject({ Job: { ID: 'api' } });
  });

  it('in a state too, while the object changes', async () => {
    const server = await serve();
    await server.publish('web', 'default', 1);
    const page = await open(server, { fragment: '#state=true' });
    await rowWith(page, 'web').waitFor();
    await live(page);
    await rows(page).first().press('Enter');
    await page.getByRole('checkbox', { name: 'Changes since' }).check();
    expect(await page.locator('#payload').textContent()).toContain('This page holds no event of this key');
    await server.publish('web', 'default', 2);
    await page.locator('#payload ins', { hasText: '"Version": 2' }).waitFor();
    await server.publish('web', 'default', 2);
    await page.locator('#payload', { hasText: 'Nothing has changed since JobRegistered at index 2.' }).waitFor();
  });
});
