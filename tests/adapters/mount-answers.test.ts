import { describe, expect, it } from 'vitest';

import { AclResolver, MemoryAclStore } from '../../src/index.ts';
import { jobEvent, mountedBroker } from './mounted-broker.ts';
import { mounts } from './mounts.ts';
import { streamHeaders } from './stream-headers.ts';
import { nomadRights } from '../../src/nomad/index.ts';

const allowed = 'GET, HEAD, OPTIONS';

/** Headers of an answer that is an error, of those that the endpoint sets. */
const errorHeaders = {
  'content-type': 'application/json',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
};

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
    const { client } = await mountedBroker(mount, { acl: new AclResolver({ rights: nomadRights, store }) });
    const answers = [{}, { 'x-nomad-token': 'unknown' }, { 'x-nomad-token': 'poor' }].map(async (headers) => {
      const answer = await client.ask({ headers });
      // Read at once: from Node 24 on, a body whose HTTP/2 stream has closed cannot be read any more.
      return { ...answer, text: await answer.body.rest() };
    });
    for (const { status, headers, text } of await Promise.all(answers)) {
      expect(status).toBe(403);
      expect(headers).toMatchObject(errorHeaders);
      expect(JSON.parse(text)).toEqual({
        Error: { Code: 'permission_denied', Message: 'Permission denied.', Retry: 'resubscribe' },
      });
    }
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('is 405 for %s, and says what is allowed', async (method) => {
    const { client } = await mountedBroker(mount);
    const { status, headers, body } = await client.ask({ method });
    expect(status).toBe(405);
    expect(headers).toMatchObject({ ...errorHeaders, allow: allowed });
    expect(JSON.parse(await body.rest())).toEqual({
      Error: {
        Code: 'method_not_allowed',
        Message: `Method ${method} is not allowed here; allowed: ${allowed}.`,
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
    expect(headers).toMatchObject({ ...errorHeaders, 'retry-after': expect.stringMatching(/^[123]$/) as string });
    expect(JSON.parse(await body.rest())).toMatchObject({ Error: { Code: 'at_capacity', Retry: 'resume' } });
  });

  it('is 503 once the broker is closed', async () => {
    const { broker, client } = await mountedBroker(mount);
    await broker.close();
    const { status, headers, body } = await client.ask();
    expect(status).toBe(503);
    expect(headers).toMatchObject({ ...errorHeaders, 'retry-after': expect.stringMatching(/^[123]$/) as string });
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
    expect(headers).toMatchObject({ allow: allowed });
    expect(await body.rest()).toBe('');
  });
});
