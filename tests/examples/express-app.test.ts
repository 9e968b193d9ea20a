import { afterEach, describe, expect, it } from 'vitest';
import { findChromium, launchChromium } from '../explorer/chromium.ts';
import { RunningExample } from './run-example.ts';

const running: RunningExample[] = [];
afterEach(() => running.splice(0).forEach((example) => example.kill()));

async function start(): Promise<{ readonly example: RunningExample; readonly origin: string }> {
  const example = new RunningExample('27-express-app', [], { DRAIN_MS: '200' });
  running.push(example);
  const [, origin = ''] = await example.printed(/The page: (http:.+)\/$/m);
  return { example, origin };
}

type Headers = Readonly<Record<string, string>>;

async function logIn(origin: string, user: string): Promise<Headers> {
  const response = await fetch(`${origin}/login/${user}`, { method: 'POST' });
  return { cookie: response.headers.getSetCookie()[0]?.split(';')[0] ?? '' };
}

const post = (url: string, headers: Headers): Promise<Response> => fetch(url, { method: 'POST', headers });

/** The stream of a login, a line at a time. */
async function* linesOf(origin: string, headers: Headers): AsyncGenerator<string> {
  const response = await fetch(`${origin}/events?state=true`, { headers });
  let rest = '';
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    const parts = (rest + Buffer.from(chunk).toString()).split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
  }
}

/** The next lines, shortly: keys of a batch, what was removed, `current`, or the code of the error. */
async function next(lines: AsyncGenerator<string>, count: number): Promise<readonly string[]> {
  const told: string[] = [];
  while (told.length < count) {
    const { value, done } = await lines.next();
    if (done === true) return [...told, 'end'];
    if (value !== '{}') told.push(shortly(value));
  }
  return told;
}

interface Line {
  readonly Events?: readonly { readonly Key: string; readonly Namespace: string }[];
  readonly Removed?: readonly { readonly Key: string }[];
  readonly Current?: object;
  readonly Error?: { readonly Code: string; readonly Retry: string };
}

function shortly(line: string): string {
  const { Events = [], Removed = [], Current, Error: error } = JSON.parse(line) as Line;
  if (error) return `${error.Code}, ${error.Retry}`;
  if (Current) return 'current';
  return [...Events.map(({ Key, Namespace }) => `${Namespace}/${Key}`), ...Removed.map(({ Key }) => `-${Key}`)].join();
}

describe('the whole server with Express', () => {
  it('shows a tenant’s orders as they are and as they change, and nobody else’s', async () => {
    const { origin } = await start();
    const [alice, carol] = [await logIn(origin, 'alice'), await logIn(origin, 'carol')];
    await post(`${origin}/orders/o-1/placed?customer=ann`, alice);
    await post(`${origin}/orders/o-9/placed?customer=zoe`, carol);
    const lines = linesOf(origin, alice);
    expect(await next(lines, 2)).toEqual(['acme/o-1', 'current']);
    await post(`${origin}/orders/o-9/packed?customer=zoe`, carol);
    await post(`${origin}/orders/o-1/delivered?customer=ann`, alice);
    expect(await next(lines, 1)).toEqual(['acme/o-1,-o-1']);
    await lines.return(undefined);
  });

  it('ends the streams of a login that logs out, and no other', async () => {
    const { origin } = await start();
    const [laptop, phone] = [await logIn(origin, 'alice'), await logIn(origin, 'alice')];
    const [first, second] = [linesOf(origin, laptop), linesOf(origin, phone)];
    expect([await next(first, 1), await next(second, 1)]).toEqual([['current'], ['current']]);
    expect((await post(`${origin}/logout`, laptop)).status).toBe(204);
    expect(await next(first, 2)).toEqual(['acl_revoked, resubscribe', 'end']);
    await post(`${origin}/orders/o-1/placed?customer=ann`, phone);
    expect(await next(second, 1)).toEqual(['acme/o-1']);
    await second.return(undefined);
    const statuses = [laptop, {}].map(async (headers) => (await fetch(`${origin}/events`, { headers })).status);
    expect(await Promise.all(statuses)).toEqual([403, 403]);
    expect((await post(`${origin}/logout`, {})).status).toBe(403);
  });

  const executable = findChromium();
  it.skipIf(!executable)('is a page that shows orders, and that one is logged out', async () => {
    const { origin } = await start();
    const browser = await launchChromium(executable ?? '');
    try {
      const page = await browser.newPage();
      await page.goto(`${origin}/`);
      await page.getByText('Log in as alice').click();
      await page.locator('#state', { hasText: 'up to date' }).waitFor();
      await post(`${origin}/orders/o-1/placed?customer=ann`, await logIn(origin, 'alice'));
      await page.locator('#orders li', { hasText: 'o-1 for ann: placed' }).waitFor();
      await page.getByText('Log out').click();
      await page.locator('#state', { hasText: 'not logged in' }).waitFor();
    } finally {
      await browser.close();
    }
  });

  it('ends on SIGTERM with a place to resume from', async () => {
    const { example, origin } = await start();
    const lines = linesOf(origin, await logIn(origin, 'alice'));
    expect(await next(lines, 1)).toEqual(['current']);
    const stopped = example.stop();
    expect(await next(lines, 2)).toEqual(['closed, resume', 'end']);
    expect(await stopped).toBe(0);
  });
});
