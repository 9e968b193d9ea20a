import { describe, expect, it } from 'vitest';

import { AclResolver, MemoryAclStore } from '../../src/index.ts';
import { jobEvent, mountedBroker, wireJob } from './mounted-broker.ts';
import { mounts } from './mounts.ts';
import { streamHeaders } from './stream-headers.ts';
import { nomadRights } from '../../src/nomad/index.ts';

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
    const stream = await client.open(`?topic=Job:a%2Fb&topic=Node&index=2&epoch=${broker.epoch}&namespace=*`);
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
    expect(await stream.object()).toEqual({ Gap: { From: 1, To: 3, Reason: 'trimmed' }, Events: [] });
    expect(await stream.objects(2)).toEqual([wireJob(4, 4), wireJob(5, 5)]);
  });

  it('ends with the reason as its last line when the broker closes', async () => {
    const { broker, client } = await mountedBroker(mount);
    const stream = await client.open();
    await broker.publish(jobEvent(1));
    await broker.close();
    expect(await stream.object()).toEqual(wireJob(1, 1));
    const reason = { Code: 'closed', Message: 'The broker is closed.', Retry: 'resume', Index: 1 };
    expect(await stream.rest()).toBe(`${JSON.stringify({ Error: reason, Events: [] })}\n`);
  });

  it('ends with the reason when the token is revoked', async () => {
    const store = new MemoryAclStore();
    store.upsertToken({ accessorId: 'a', secretId: 's3cret', type: 'management', policies: [], roles: [] });
    const { broker, client } = await mountedBroker(mount, { acl: new AclResolver({ rights: nomadRights, store }) });
    const stream = await client.open('', { authorization: 'Bearer s3cret' });
    store.deleteToken('a');
    await broker.aclChanged({ token: 'a' });
    expect(await stream.object()).toMatchObject({ Error: { Code: 'acl_revoked', Retry: 'resubscribe' } });
    expect(await stream.line()).toBeUndefined();
  });
});
