import { Cluster, Redis } from 'ioredis';
import { createClient, createClientPool, createCluster, createSentinel } from 'redis';
import { expect, it } from 'vitest';

import { RedisEventLog } from '../../src/logs/redis/index.ts';
import { clientKinds, describeWithRedis } from '../servers/redis-server.ts';
import { bodyOf, cleanUpAfterEach, connect, follow, openOn, readTexts, startServer, whenOver } from './redis-around.ts';

const refusal = (code: string, message: RegExp) =>
  ({ code, message: expect.stringMatching(message) as string }) as never;

describeWithRedis('a client that a Redis log cannot be opened on', () => {
  cleanUpAfterEach();

  it('is refused: a cluster, a sentinel, a pool', async () => {
    const nowhere = { url: 'redis://127.0.0.1:1' };
    const cluster = new Cluster([{ host: '127.0.0.1', port: 1 }], { lazyConnect: true });
    const clients = [
      cluster,
      createCluster({ rootNodes: [nowhere] }),
      createSentinel({ name: 'a', sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }] }),
      createClientPool(nowhere),
    ];
    for (const client of clients) {
      const opened = RedisEventLog.open({ client: client as never, stream: 'events' });
      await expect(opened).rejects.toThrow(/^client must be .* one server; .*cluster/);
    }
  });

  it('is refused: one that was closed, or never connected', async () => {
    const server = await startServer();
    const closed = await createClient({ url: server.url }).connect();
    closed.destroy();
    const ended = new Redis(server.url);
    ended.on('error', () => undefined).disconnect();
    for (const client of [closed, ended, createClient({ url: server.url })]) {
      const opened = RedisEventLog.open({ client, stream: 'events', requestTimeoutMs: 50 });
      await expect(opened).rejects.toMatchObject(refusal('log_unavailable', /client .* is not connected/));
    }
  });

  it('is refused: one that is within a MULTI, before and after the log was opened', async () => {
    const server = await startServer();
    const client = new Redis(server.url);
    whenOver(() => client.disconnect());
    const log = await RedisEventLog.open({ client, stream: 'events' });
    await client.multi({ pipeline: false });
    const message = /within a MULTI.*client of its own/;
    await expect(log.append(bodyOf('a'))).rejects.toMatchObject(refusal('log_unavailable', message));
    await expect(log.state()).rejects.toMatchObject(refusal('log_unavailable', message));
    await expect(RedisEventLog.open({ client, stream: 'events' })).rejects.toMatchObject(
      refusal('log_unavailable', message),
    );
    await client.discard();
    expect(await log.append(bodyOf('b'))).toEqual({ index: 1, duplicate: false });
    await log.close();
  });

  it('is refused: one of a server that is part of a cluster, and does not hold the key', async () => {
    const server = await startServer('--cluster-enabled', 'yes');
    for (const kind of clientKinds) {
      await expect(openOn(server, kind)).rejects.toMatchObject(refusal('log_unavailable', /cluster.*another server/));
    }
  });

  it('is no trouble: one whose commands time out sooner than a tail waits', async () => {
    const server = await startServer();
    const client = new Redis(server.url, { commandTimeout: 300 });
    whenOver(() => client.disconnect());
    const log = await RedisEventLog.open({ client, stream: 'events' });
    whenOver(() => log.close());
    const tail = await follow(log);
    await tail.until(() => tail.statuses.at(-1) === 'up');
    const commands = async () => Number(/cmdstat_xread:calls=(\d+)/.exec(await client.info('commandstats'))?.[1]);
    await expect.poll(commands, { timeout: 10_000 }).toBeGreaterThan(1);
    await log.append(bodyOf('a'));
    await tail.until(() => tail.indexes.length === 1);
    expect(tail.statuses).not.toContain('down');
  });
});

describeWithRedis.each(clientKinds)('a Redis log in trouble, on the client %s', (kind) => {
  cleanUpAfterEach();

  it('refuses an append without memory for it, and recognises the ids of before afterwards', async () => {
    const server = await startServer('--appendfsync', 'no');
    const { run } = await connect(server);
    const log = await openOn(server, kind, { dedupeWindowMs: 1 });
    await log.append(bodyOf('a'), { id: 'one' });
    await run('CONFIG', 'SET', 'maxmemory', '1');
    for (let n = 0; n < 3; n++) {
      await expect(log.append(bodyOf('b'))).rejects.toMatchObject(
        refusal('log_unavailable', /maxmemory; nothing was stored/),
      );
    }
    await run('CONFIG', 'SET', 'maxmemory', '0');
    expect(await log.append(bodyOf('a'), { id: 'one' })).toEqual({ index: 1, duplicate: true });
    expect(await readTexts(log, 1)).toEqual(['a']);
  });

  it('refuses an append while its server is a replica, stores nothing, and goes on afterwards', async () => {
    const [server, other] = [await startServer(), await startServer()];
    const { run } = await connect(server);
    const log = await openOn(server, kind);
    const tail = await follow(log);
    await log.append(bodyOf('a'));
    // A primary that cannot be reached: what is here stays.
    await other.stop();
    await run('REPLICAOF', '127.0.0.1', `${other.port}`);
    await expect(log.append(bodyOf('b'))).rejects.toMatchObject(
      refusal('log_unavailable', /read-only replica.*primary/),
    );
    await run('REPLICAOF', 'NO', 'ONE');
    expect(await log.append(bodyOf('c'))).toEqual({ index: 2, duplicate: false });
    await tail.until(() => tail.indexes.at(-1) === 2);
    expect(await readTexts(log, 1)).toEqual(['a', 'c']);
  });

  it('goes on after an entry of somebody else at the last place that there is', async () => {
    const server = await startServer('--appendfsync', 'no');
    const { run } = await connect(server);
    const log = await openOn(server, kind);
    await log.append(bodyOf('a'));
    await run('XADD', 'events', '18446744073709551615-18446744073709551615', 'not', 'ours');
    expect(await log.append(bodyOf('b'))).toEqual({ index: 3, duplicate: false });
    expect(await readTexts(log, 1)).toEqual(['a', '', 'b']);
  });

  it('declares no disk where the server does not sync while it rewrites its file', async () => {
    const log = await openOn(await startServer('--no-appendfsync-on-rewrite', 'yes'), kind);
    expect([log.capabilities.durability, log.server.appendFsync]).toEqual(['os', 'always']);
  });

  it('sends its scripts anew to a server that forgot them', async () => {
    const server = await startServer('--appendfsync', 'no');
    const log = await openOn(server, kind);
    await (await connect(server)).run('SCRIPT', 'FLUSH');
    await Promise.all(['a', 'b'].map((text) => log.append(bodyOf(text))));
    expect(await readTexts(log, 1)).toEqual(['a', 'b']);
  });

  it('stores an append that is sent again once: answers as before, or refuses it after later ones', async () => {
    const server = await startServer('--appendfsync', 'no');
    const log = await openOn(server, kind);
    const { run } = await connect(server);
    const monitored: string[][] = [];
    const spy = new Redis(server.url);
    whenOver(() => spy.disconnect());
    const monitor = await spy.monitor();
    whenOver(() => monitor.disconnect());
    monitor.on('monitor', (_: string, args: string[]) => monitored.push(args));
    await log.append(bodyOf('a'));
    const sent = async () => monitored.findLast(([name]) => /^evalsha?$/i.test(name ?? ''));
    await expect.poll(sent).toBeDefined();
    const again = (await sent()) ?? [];
    expect(await run(...again)).toBe('1');
    await log.append(bodyOf('b'));
    await expect(run(...again)).rejects.toThrow(/FENCELINE late/);
    expect(await log.state()).toMatchObject({ head: 2 });
  });
});
