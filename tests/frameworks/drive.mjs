// What each app must do, seen from outside: as a browser, and as `fenceline/client`.
import assert from 'node:assert/strict';
import { SignJWT } from 'jose';
import { streamEvents } from 'fenceline/client';

/**
 * Nothing here takes long, but for a development server that compiles a page on a busy machine: what takes longer
 * hangs.
 */
const limitMs = 3 * 60_000;
const secret = new TextEncoder().encode(process.env.JWT_SECRET);

async function cookieOf(user, tenant) {
  const jwt = new SignJWT({ tenant }).setProtectedHeader({ alg: 'HS256' }).setSubject(user);
  return `session=${await jwt.setExpirationTime('15 minutes').sign(secret)}`;
}

/** An app, and what one user asks of it. */
class Visitor {
  constructor(origin, cookie) {
    this.origin = origin;
    this.headers = cookie === undefined ? {} : { cookie };
  }

  fetch(path, { headers = {}, signal = AbortSignal.timeout(limitMs) } = {}) {
    return fetch(this.origin + path, { headers: { ...headers, ...this.headers }, signal });
  }

  /**
   * As a script in a page does it: some frameworks take a POST without a type, or without its origin, for a forged
   * form.
   */
  post(path) {
    const headers = { 'content-type': 'application/json', origin: this.origin, ...this.headers };
    return fetch(this.origin + path, { method: 'POST', headers, body: '{}', signal: AbortSignal.timeout(limitMs) });
  }

  async place(key, step = 'placed') {
    const response = await this.post(`/orders?key=${key}&step=${step}`);
    assert.ok(response.ok, `an order: ${response.status} ${response.ok ? '' : await response.clone().text()}`);
    return response.json();
  }

  /** A stream of this user's, its response still open. */
  async open(options) {
    const response = await this.fetch('/events?topic=Order', options);
    assert.equal(response.status, 200);
    return response;
  }

  /** Resolves when so many streams are open in the app: it is asked as often as it takes, within bounds. */
  async streams(count) {
    for (const end = Date.now() + limitMs; Date.now() < end;) {
      const { streams } = await this.place('counted');
      if (streams === count) return;
    }
    throw new Error(`The app does not come to ${count} open streams.`);
  }
}

/**
 * @param page whether it renders the orders on the server
 * @param reload of a development server: changes the module of the broker; resolves with a function that says whether
 * it was loaded anew
 * @param stop ends the app as its host does, and resolves when it has ended, with its exit code
 */
export async function drive(origin, { page, reload, stop }) {
  const alice = new Visitor(origin, await cookieOf('alice', 'acme'));
  const bob = new Visitor(origin, await cookieOf('bob', 'beta'));
  const carol = new Visitor(origin, await cookieOf('carol', 'acme'));
  await refusesStrangers(new Visitor(origin));
  await streamsAndResumes(alice, bob);
  await sendsServerSentEvents(alice);
  if (page) await rendersThePage(alice);
  await endsWithTheRights(alice, carol);
  if (reload) await survivesReload(alice, reload);
  else await drains(alice, stop);
}

async function refusesStrangers(stranger) {
  const response = await stranger.fetch('/events?topic=Order');
  assert.equal(response.status, 403);
  assert.equal((await response.json()).Error.Code, 'permission_denied');
  const forged = await stranger.fetch('/events?topic=Order', { headers: { cookie: 'session=forged' } });
  assert.equal(forged.status, 403);
  await forged.text();
}

/** A user gets the orders of their tenant, at once, and goes on after a cut with nothing lost, and nothing twice. */
async function streamsAndResumes(alice, bob) {
  let cut = new AbortController();
  const connections = [];
  const stream = streamEvents(`${alice.origin}/events`, {
    topics: ['Order'],
    headers: alice.headers,
    minDelayMs: 1,
    fetch: (url, init) => {
      connections.push(String(url));
      cut = new AbortController();
      return fetch(url, { ...init, signal: AbortSignal.any([init.signal, cut.signal]) });
    },
  });
  const next = async () => {
    const { value } = await within(stream.next(), 'the next batch of the stream');
    assert.equal(value.gap, undefined);
    return value.events.map(({ key, namespace }) => `${namespace} ${key}`);
  };
  await alice.place('o-1');
  assert.deepEqual(await next(), ['acme o-1']);
  await bob.place('b-1');
  await alice.place('o-2');
  assert.deepEqual(await next(), ['acme o-2']);
  cut.abort();
  await bob.place('b-2');
  await alice.place('o-3');
  assert.deepEqual(await next(), ['acme o-3']);
  assert.equal(connections.length, 2);
  stream.close();
  await alice.streams(0);
}

async function sendsServerSentEvents(alice) {
  const response = await alice.open({ headers: { accept: 'text/event-stream' } });
  assert.match(response.headers.get('content-type'), /^text\/event-stream/);
  const reader = response.body.getReader();
  let text = '';
  while (!text.includes('"o-2"')) text += Buffer.from((await reader.read()).value).toString();
  await reader.cancel();
  await alice.streams(0);
}

async function rendersThePage(alice) {
  const html = await (await alice.fetch('/')).text();
  assert.match(html.replaceAll('<!-- -->', ''), /<li>o-1: placed<\/li>/);
}

async function endsWithTheRights(alice, carol) {
  const response = await carol.open();
  assert.equal((await carol.post('/logout')).status, 204);
  const lines = await linesOf(response);
  assert.equal(JSON.parse(lines.at(-1)).Error.Code, 'acl_revoked');
  const again = await carol.fetch('/events?topic=Order');
  assert.equal(again.status, 403);
  await again.text();
  await alice.streams(0);
}

/**
 * The module of the broker is loaded anew, and there is still one broker: what is published reaches who was there
 * before.
 */
async function survivesReload(alice, reload) {
  const stream = streamEvents(`${alice.origin}/events`, { topics: ['Order'], index: 'latest', headers: alice.headers });
  const next = stream.next();
  await alice.streams(1);
  await within(next, 'an order');
  let { index } = await alice.place('before');
  const isReloaded = await reload();
  for (const end = Date.now() + limitMs; !isReloaded();) {
    assert.ok(Date.now() < end, 'the module is not loaded anew');
    const after = await alice.place('after');
    assert.ok(after.index > index, `the indexes begin anew: ${after.index} after ${index}`);
    assert.equal(after.streams, 1);
    ({ index } = after);
  }
  await alice.place('last');
  for (let key; key !== 'last';) ({ key } = (await within(stream.next(), 'an order')).value.events[0]);
  stream.close();
}

/** Each open stream ends with the place to go on from, and then the process. */
async function drains(alice, stop) {
  const open = await Promise.all([alice.open(), alice.open(), alice.open()]);
  const { index } = await alice.place('last');
  const ended = stop();
  for (const response of open) {
    const { Error: error } = JSON.parse((await linesOf(response)).at(-1));
    assert.deepEqual([error.Code, error.Retry, error.Index], ['closed', 'resume', index]);
  }
  // Some end with 0, some as if by the signal, which they caught to drain.
  const end = await within(ended, 'the end of the process');
  assert.ok([0, 143, 'SIGTERM'].includes(end), `the process ended with ${end}`);
}

async function linesOf(response) {
  return (await within(response.text(), 'the end of a stream')).trimEnd().split('\n');
}

/** @throws when it takes longer than anything here does */
async function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come within ${limitMs} ms`)), limitMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
