import { Agent } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';

import { AclResolver, MemoryAclStore } from '../../src/index.ts';
import { LineReader } from './line-reader.ts';
import {
  indexOf,
  jobEvent,
  LARGE_BYTES,
  mountedBroker,
  notified,
  publishPast,
  subscriptionsAre,
  wireJob,
} from './mounted-broker.ts';
import { mounts } from './mounts.ts';

const notAllowed = 'GET, HEAD, OPTIONS';

const http1Mounts = mounts.filter(({ protocol }) => protocol === 'http1');

/** Headers of an answer that is an error, of those that the endpoint sets. */
const errorHeaders = {
  'content-type': 'application/json',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
};

const streamHeaders = (epoch: string) => ({
  'content-type': 'application/json',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
  'x-content-type-options': 'nosniff',
  'x-fenceline-epoch': epoch,
});

/** An ACL store that answers a secret when it is let. */
class HeldStore extends MemoryAclStore {
  readonly asked: Promise<void>;
  #release: (() => void) | undefined;
  #onAsked: (() => void) | undefined;

  constructor() {
    super();
    this.asked = new Promise((resolve) => (this.#onAsked = resolve));
    this.upsertToken({ accessorId: 'a', secretId: 'slow', type: 'management', policies: [], roles: [] });
    this.upsertToken({ accessorId: 'b', secretId: 'quick', type: 'management', policies: [], roles: [] });
  }

  override tokenBySecretId(secretId: string): never {
    const token = super.tokenBySecretId(secretId);
    if (secretId !== 'slow') return token as never;
    const held = new Promise((resolve) => (this.#release = () => resolve(token)));
    this.#onAsked?.();
    return held as never;
  }

  release(): void {
    this.#release?.();
  }
}

describe.each(mounts)('the stream on $name', (mount) => {
  it('begins with a heartbeat at once, while nothing is published', async () => {
    const { client } = await mountedBroker(mount);
    const { status, body } = await client.ask();
    expect(status).toBe(200);
    expect(await body.line()).toBe('{}');
  });

  it('has the headers that keep caches and proxies from holding it back', async () => {
    const { broker, client } = await mountedBroker(mount);
    const { headers } = await client.ask({ headers: { 'accept-encoding': 'gzip, br' } });
    expect(headers).toMatchObject(streamHeaders(broker.epoch));
    expect(headers).not.toHaveProperty('content-encoding');
    expect(headers).not.toHaveProperty('content-length');
  });

  it('gives the backlog, then what is published, one line each', async () => {
    const { broker, client } = await mountedBroker(mount);
    await broker.publish([jobEvent({ n: 1 }), jobEvent({ n: '\r\n\u2028é😀' })]);
    await broker.publish(jobEvent(2));
    const stream = await client.open();
    const [first, second] = wireJob(1, { n: 1 }).Events.concat(wireJob(1, { n: '\r\n\u2028é😀' } as never).Events);
    expect(await stream.object()).toEqual({ Index: 1, Events: [first, second] });
    expect(await stream.object()).toEqual(wireJob(2, 2));
    await broker.publish(jobEvent(3));
    expect(await stream.object()).toEqual(wireJob(3, 3));
  });

  it('gives what the query asks for', async () => {
    const { broker, client } = await mountedBroker(mount);
    const stream = await client.open('?topic=Job:a%2Fb&topic=Node&index=2&namespace=*');
    for (const key of ['a/b', 'a/b', 'c']) await broker.publish(jobEvent(key, key));
    await broker.publish({ topic: 'Node', type: 't', key: 'n', namespace: 'prod', payload: 1 });
    expect(await stream.object()).toEqual(wireJob(2, 'a/b', 'a/b'));
    expect(await stream.object()).toMatchObject({ Index: 4 });
  });

  it('repeats the heartbeat', async () => {
    const { client } = await mountedBroker(mount, {}, { heartbeatMs: 10 });
    const stream = await client.open();
    expect(await stream.objects(3)).toEqual([{}, {}, {}]);
  });

  it('tells a gap as a line before the next batch', async () => {
    const { broker, client } = await mountedBroker(mount, { buffer: { maxBatches: 2 } });
    for (let n = 1; n <= 5; n++) await broker.publish(jobEvent(n));
    const stream = await client.open('?index=1');
    expect(await stream.object()).toEqual({ Gap: { From: 1, To: 3, Reason: 'trimmed' } });
    expect(await stream.objects(2)).toEqual([wireJob(4, 4), wireJob(5, 5)]);
  });

  it('ends with the reason as its last line when the broker closes', async () => {
    const { broker, client } = await mountedBroker(mount);
    const stream = await client.open();
    await broker.publish(jobEvent(1));
    await broker.close();
    expect(await stream.object()).toEqual(wireJob(1, 1));
    const reason = { Code: 'closed', Message: 'The broker is closed.', Retry: 'resume', Index: 1 };
    expect(await stream.rest()).toBe(`${JSON.stringify({ Error: reason })}\n`);
  });

  it('ends with the reason when the token is revoked', async () => {
    const store = new MemoryAclStore();
    store.upsertToken({ accessorId: 'a', secretId: 's3cret', type: 'management', policies: [], roles: [] });
    const { broker, client } = await mountedBroker(mount, { acl: new AclResolver({ store }) });
    const stream = await client.open('', { authorization: 'Bearer s3cret' });
    store.deleteToken('a');
    await broker.aclChanged({ token: 'a' });
    expect(await stream.object()).toMatchObject({ Error: { Code: 'acl_revoked', Retry: 'resubscribe' } });
    expect(await stream.line()).toBeUndefined();
  });
});

describe.each(mounts)('an answer that is no stream, on $name,', (mount) => {
  it.each(['?index=soon', '?gap=maybe', '?topic=', '?bookmarks=1', '?topic=%E0%A4%A'])(
    'is 400 for %s, with the reason as one object',
    async (query) => {
      const { broker, client } = await mountedBroker(mount);
      const { status, headers, body } = await client.ask({ query });
      expect(status).toBe(400);
      expect(headers).toMatchObject(errorHeaders);
      expect(JSON.parse(await body.rest())).toEqual({
        Error: { Code: 'bad_request', Message: expect.any(String), Retry: 'never' },
      });
      expect(broker.stats().subscriptions).toBe(0);
    },
  );

  it('is 403 in one text for every token that may not', async () => {
    const store = new MemoryAclStore();
    store.upsertToken({ accessorId: 'a', secretId: 'poor', type: 'client', policies: [], roles: [] });
    const { client } = await mountedBroker(mount, { acl: new AclResolver({ store }) });
    const answers = [{}, { 'x-nomad-token': 'unknown' }, { 'x-nomad-token': 'poor' }].map((headers) =>
      client.ask({ headers }),
    );
    for (const { status, headers, body } of await Promise.all(answers)) {
      expect(status).toBe(403);
      expect(headers).toMatchObject(errorHeaders);
      expect(JSON.parse(await body.rest())).toEqual({
        Error: { Code: 'permission_denied', Message: 'Permission denied.', Retry: 'resubscribe' },
      });
    }
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('is 405 for %s, and says what is allowed', async (method) => {
    const { client } = await mountedBroker(mount);
    const { status, headers, body } = await client.ask({ method });
    expect(status).toBe(405);
    expect(headers).toMatchObject({ ...errorHeaders, allow: notAllowed });
    expect(JSON.parse(await body.rest())).toEqual({
      Error: {
        Code: 'method_not_allowed',
        Message: `Method ${method} is not allowed here; allowed: ${notAllowed}.`,
        Retry: 'never',
      },
    });
  });

  it('is 410 for a gap that the client does not want', async () => {
    const { broker, client } = await mountedBroker(mount, { buffer: { maxBatches: 2 } });
    for (let n = 1; n <= 5; n++) await broker.publish(jobEvent(n));
    const { status, headers, body } = await client.ask({ query: '?index=1&gap=fail' });
    expect(status).toBe(410);
    expect(headers).toMatchObject(errorHeaders);
    expect(JSON.parse(await body.rest())).toMatchObject({ Error: { Code: 'gap', Retry: 'resubscribe' } });
  });

  it('is 503 at capacity, and says when to come again', async () => {
    const { client } = await mountedBroker(mount, { maxSubscriptions: 1 });
    await client.open();
    const { status, headers, body } = await client.ask();
    expect(status).toBe(503);
    expect(headers).toMatchObject({ ...errorHeaders, 'retry-after': '1' });
    expect(JSON.parse(await body.rest())).toMatchObject({ Error: { Code: 'at_capacity', Retry: 'resume' } });
  });

  it('is 503 once the broker is closed', async () => {
    const { broker, client } = await mountedBroker(mount);
    await broker.close();
    const { status, headers, body } = await client.ask();
    expect(status).toBe(503);
    expect(headers).toMatchObject({ ...errorHeaders, 'retry-after': '1' });
    const reason = { Code: 'closed', Message: 'The broker is closed.', Retry: 'resume' };
    expect(JSON.parse(await body.rest())).toEqual({ Error: reason });
  });

  it('is 500 that tells nothing when the host’s ACL store is broken', async () => {
    const acl = { resolve: () => Promise.reject(new Error('password=hunter2')) };
    const { client } = await mountedBroker(mount, { acl: acl as never });
    const { status, body } = await client.ask();
    const answer = await body.rest();
    expect([500, 503]).toContain(status);
    expect(answer).not.toContain('hunter2');
  });

  it('is the headers alone for HEAD, and leaves no subscription', async () => {
    const { broker, client } = await mountedBroker(mount);
    const { status, headers, body } = await client.ask({ method: 'HEAD' });
    expect(status).toBe(200);
    expect(headers).toMatchObject(streamHeaders(broker.epoch));
    expect(await body.rest()).toBe('');
    expect(broker.stats().subscriptions).toBe(0);
    expect((await client.ask({ method: 'HEAD', query: '?index=soon' })).status).toBe(400);
  });

  it('is 204 for OPTIONS, with what is allowed', async () => {
    const { client } = await mountedBroker(mount);
    const { status, headers, body } = await client.ask({ method: 'OPTIONS' });
    expect(status).toBe(204);
    expect(headers).toMatchObject({ allow: notAllowed });
    expect(await body.rest()).toBe('');
  });
});

describe.each(mounts)('a client on $name', (mount) => {
  it('that leaves frees its subscription', async () => {
    const { broker, client } = await mountedBroker(mount);
    const streams = await Promise.all(Array.from({ length: 10 }, (_, n) => client.open(`?topic=T${n % 3}`)));
    expect(broker.stats()).toMatchObject({ subscriptions: 10, interests: 3 });
    for (const stream of streams) stream.leave();
    await subscriptionsAre(broker, 0);
    expect(broker.stats().interests).toBe(0);
  });

  it('that leaves while the ACL store is slow leaves no subscription behind', async () => {
    const store = new HeldStore();
    const { broker, client, server } = await mountedBroker(mount, { acl: new AclResolver({ store }) });
    const sent = client.send({ headers: { 'x-nomad-token': 'slow' } });
    await store.asked;
    sent.leave();
    await server.deserted();
    store.release();
    const later = await client.open('', { 'x-nomad-token': 'quick' });
    expect(broker.stats().subscriptions).toBe(1);
    later.leave();
    await subscriptionsAre(broker, 0);
  });

  it('that does not read costs a bounded amount, delays nobody, and gets everything once it reads', async () => {
    const { broker, client, server } = await mountedBroker(mount);
    const slow = await client.open('?topic=Job');
    const healthy = await client.open();
    const lagging = notified(broker, 'lagging');
    const last = await publishPast(broker, healthy, 12);
    expect((await lagging).subscription.state).toBe('unsynced');
    expect(server.waitingBytes).toBeLessThan(4 * LARGE_BYTES);
    for (let index = 1; index <= last; index++) expect(indexOf(await slow.line())).toBe(index);
  });

  it('that does not read past the buffer is told of all that it missed', async () => {
    const { broker, client } = await mountedBroker(mount, { buffer: { maxBatches: 4 } });
    const slow = await client.open('?topic=Job');
    const last = await publishPast(broker, await client.open(), 8);
    const gaps: unknown[] = [];
    let next = 1;
    while (next <= last) {
      const line = (await slow.line()) ?? '';
      const gap = line.startsWith('{"Gap"')
        ? (JSON.parse(line) as { Gap: { From: number; To: number } }).Gap
        : undefined;
      if (gap) gaps.push(gap);
      expect(gap ? gap.From : indexOf(line)).toBe(next);
      next = (gap ? gap.To : next) + 1;
    }
    expect(gaps).toEqual([{ From: expect.any(Number), To: last - 4, Reason: 'slow' }]);
  });
});

describe.each(http1Mounts)('over HTTP/1.1, $name', (mount) => {
  it('serves a stream on the connection on which errors were answered', async () => {
    const { broker, client, server } = await mountedBroker(mount);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    for (const asked of [{ query: '?index=soon' }, { method: 'POST' }, { method: 'HEAD' }, { method: 'OPTIONS' }]) {
      const { status, body } = await client.ask({ ...asked, agent });
      await body.rest();
      expect(status).toBeGreaterThan(0);
    }
    await broker.publish(jobEvent(1));
    const { status, body } = await client.ask({ agent });
    expect(status).toBe(200);
    expect(await body.objects(2)).toEqual([{}, wireJob(1, 1)]);
    expect(server.accepted).toBe(1);
    await broker.close();
    expect(await body.object()).toMatchObject({ Error: { Code: 'closed' } });
    const after = await client.ask({ agent });
    expect(after.status).toBe(503);
  });

  it('serves HTTP/1.0 clients without chunks', async () => {
    const { broker, server } = await mountedBroker(mount);
    const socket = connect(server.port, '127.0.0.1');
    socket.write(`GET ${mount.path} HTTP/1.0\r\n\r\n`);
    const reader = new LineReader(socket);
    const head: (string | undefined)[] = [];
    for (let line = await reader.line(); line !== '\r'; line = await reader.line()) head.push(line);
    expect(head[0]).toBe('HTTP/1.1 200 OK\r');
    expect(head.join('\n').toLowerCase()).not.toContain('transfer-encoding');
    expect(await reader.object()).toEqual({});
    await broker.publish(jobEvent('é'.repeat(10)));
    expect(await reader.object()).toEqual(wireJob(1, 'é'.repeat(10)));
    await broker.close();
    expect(await reader.object()).toMatchObject({ Error: { Code: 'closed' } });
    expect(await reader.line()).toBeUndefined();
  });
});
