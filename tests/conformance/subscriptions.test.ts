import http from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { Acl, AclResolver, EventBroker, MemoryAclStore, type EventBrokerOptions } from 'fenceline';
import { eventStreamHandler } from 'fenceline/http';
import { ndjsonFormat } from 'fenceline/ndjson';
import { nomadEvents, nomadRights, nomadTopicsRetaining } from 'fenceline/nomad';
import { FaultyAclStore, MemoryEventLog, VirtualClock } from 'fenceline/testing';
import { drain } from './reading.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** A broker with ACLs behind a real server, whose token store can be held. */
async function makeWorld(options: Pick<EventBrokerOptions, 'buffer'> = {}) {
  const records = new MemoryAclStore({ rights: nomadRights });
  await records.upsertPolicy({ name: 'p', rules: { namespace: { '*': { policy: 'read' } } } });
  for (const accessorId of ['alice', 'bob', 'carol'])
    records.upsertToken({ accessorId, secretId: `${accessorId}-secret`, type: 'client', policies: ['p'] });
  const store = new FaultyAclStore(records);
  const acl = new AclResolver({ store, rights: nomadRights });
  const topics = nomadTopicsRetaining(['Job']);
  const broker = new EventBroker({ topics, acl, stalledMs: Infinity, reauthorizeTimeoutMs: 1e9, ...options });
  const server = http.createServer(eventStreamHandler({ broker, heartbeatMs: 0 }));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  cleanups.push(
    () => void server.close(),
    () => server.closeAllConnections(),
    () => broker.close(),
  );
  return { broker, store, port: (server.address() as AddressInfo).port };
}

type World = Awaited<ReturnType<typeof makeWorld>>;

/** A client that has asked for a stream, and reads nothing unless it is told to. */
async function ask({ broker, port }: World, query: string, accessorId: string): Promise<Socket> {
  const opened = new Promise((resolve) => broker.once('subscribe', resolve));
  const socket = connect(port, '127.0.0.1');
  socket.pause();
  socket.write(`GET /?${query} HTTP/1.1\r\nHost: a\r\nX-Nomad-Token: ${accessorId}-secret\r\n\r\n`);
  cleanups.push(() => socket.destroy());
  await opened;
  return socket;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(setImmediate);
}

const job = (ID: string, size = 0) => nomadEvents.jobRegistered({ ID, Namespace: 'default', Name: 'x'.repeat(size) });

const of = ({ broker }: World, accessorId: string) =>
  broker.subscriptions().find((subscription) => subscription.accessorId === accessorId);

describe('subscriptions() lists', () => {
  it('a slow reader over HTTP: blocked, how far behind it is, and the bytes that wait', async () => {
    const world = await makeWorld({ buffer: { maxBatches: 16 } });
    (await ask(world, 'topic=Job:web&topic=Service&namespace=default', 'alice')).pause();
    await until(() => of(world, 'alice')?.state === 'synced');
    while (of(world, 'alice')?.state !== 'blocked') {
      await world.broker.publish(job('web', 100_000));
      await new Promise(setImmediate);
    }
    const { latestIndex } = world.broker.stats();
    for (let i = 0; i < 3; i++) await world.broker.publish(job('web'));
    const slow = of(world, 'alice');
    expect(slow).toMatchObject({
      filter: 'Job:web,Service:*',
      namespaces: ['default'],
      reads: 'events',
      by: 'transport',
      state: 'blocked',
    });
    expect(slow?.waitingBytes).toBeGreaterThan(0);
    expect(slow?.position).toBeLessThanOrEqual(latestIndex);
    expect(slow?.lag).toBe(latestIndex + 3 - (slow?.position ?? 0));
  });

  it('a fenced one over HTTP, until its rights are confirmed', async () => {
    const world = await makeWorld();
    (await ask(world, 'topic=Job', 'bob')).resume();
    await until(() => of(world, 'bob')?.state === 'synced');
    world.store.hold();
    const at = await world.broker.publish(nomadEvents.aclTokenUpserted({ AccessorID: 'bob' }));
    await world.broker.publish(job('web'));
    await until(() => world.store.held > 0 && of(world, 'bob')?.position === at);
    expect(of(world, 'bob')).toMatchObject({ state: 'fenced', lag: 1 });
    world.store.recover();
    await until(() => of(world, 'bob')?.state === 'synced');
    expect(of(world, 'bob')).toMatchObject({ position: at + 1, lag: 0 });
  });

  it('a reader of the state over HTTP', async () => {
    const world = await makeWorld();
    await world.broker.publish([job('a'), job('b')]);
    (await ask(world, 'topic=Job&namespace=*&state=true', 'carol')).resume();
    await until(() => of(world, 'carol')?.state === 'synced');
    expect(of(world, 'carol')).toMatchObject({
      filter: 'Job:*',
      namespaces: ['*'],
      reads: 'state',
      by: 'transport',
      position: 1,
      lag: 0,
      waitingBytes: 0,
    });
  });

  it('one in process: what it has not asked for yet is its lag, and no bytes wait', async () => {
    const clock = new VirtualClock();
    const broker = new EventBroker({ clock });
    const since = clock.now();
    const subscription = await broker.subscribe({ topics: ['Job'], acl: Acl.management });
    await clock.advance(5000);
    await broker.publish({ topic: 'Job', type: 'Made', key: 'a', payload: 1 });
    await broker.publish({ topic: 'Node', type: 'Made', key: 'n', payload: 1 });
    const facts = { filter: 'Job:*', namespaces: ['default'], reads: 'events', by: 'process', since, waitingBytes: 0 };
    expect(broker.subscriptions()).toEqual([{ ...facts, accessorId: undefined, state: 'behind', position: 0, lag: 2 }]);
    drain(subscription);
    expect(broker.subscriptions()).toMatchObject([{ ...facts, state: 'synced', position: 2, lag: 0 }]);
    subscription.close();
    expect(broker.subscriptions()).toEqual([]);
  });

  it('one that is fetching from the log', async () => {
    const log = new MemoryEventLog();
    const broker = new EventBroker({ log, buffer: { maxBatches: 1 } });
    cleanups.push(() => broker.close());
    for (let i = 0; i < 3; i++) await broker.publish({ topic: 'Job', type: 'Made', key: 'a', payload: 1 });
    const subscription = await broker.subscribe();
    await until(() => broker.stats().latestIndex === 3);
    expect(subscription.poll()).toBeUndefined();
    expect(broker.subscriptions()).toMatchObject([{ state: 'fetching', position: 0, lag: 3 }]);
    await until(() => broker.subscriptions()[0]?.state === 'behind');
    expect(drain(subscription).indexes).toContain(1);
  });

  it('one whose rights narrowed far ahead of it as behind, not as fenced', async () => {
    const records = new MemoryAclStore({ rights: nomadRights });
    const policy = (...namespaces: readonly string[]) => ({
      name: 'p',
      rules: { namespace: Object.fromEntries(namespaces.map((name) => [name, { policy: 'read' as const }])) },
    });
    await records.upsertPolicy(policy('a', 'b'));
    records.upsertToken({ accessorId: 'alice', secretId: 's', type: 'client', policies: ['p'] });
    const broker = new EventBroker({
      topics: nomadTopicsRetaining([]),
      acl: new AclResolver({ store: records, rights: nomadRights }),
    });
    await broker.subscribe({ topics: ['Job'], token: 's', scope: 'allowed' });
    await broker.publish(nomadEvents.jobRegistered({ ID: 'w', Namespace: 'a' }));
    await records.upsertPolicy(policy('a'));
    await broker.publish(nomadEvents.aclPolicyUpserted({ Name: 'p' }));
    await until(() => broker.subscriptions()[0]?.state === 'behind');
    expect(broker.subscriptions()).toMatchObject([{ state: 'behind', lag: 2 }]);
  });

  it('the oldest first, and no secret', async () => {
    const world = await makeWorld();
    for (const accessorId of ['bob', 'alice', 'carol']) await ask(world, 'topic=Job', accessorId);
    const listed = world.broker.subscriptions();
    expect(listed.map(({ accessorId }) => accessorId)).toEqual(['bob', 'alice', 'carol']);
    expect(inspect(listed, { depth: Infinity, showHidden: true }) + JSON.stringify(listed)).not.toContain('-secret');
  });

  it('a snapshot that a transport cannot harm: one whose waitingBytes throws is ended', async () => {
    const broker = new EventBroker();
    let isSick = false;
    const sink = {
      write: () => true,
      end: () => undefined,
      get waitingBytes(): number {
        if (isSick) throw new Error('of a stranger');
        return 7;
      },
    };
    (await broker.subscribe()).deliverTo(sink, ndjsonFormat);
    await broker.subscribe();
    expect(broker.subscriptions().map(({ waitingBytes }) => waitingBytes)).toEqual([7, 0]);
    isSick = true;
    expect(broker.subscriptions()).toHaveLength(2);
    expect(broker.stats()).toMatchObject({ subscriptions: 1, ended: { internal: 1 } });
  });
});

describe('requireManagement', () => {
  const codeOf = (call: Promise<void>): Promise<unknown> =>
    call.then(
      () => 'allowed',
      (error: { code?: string }) => error.code ?? error,
    );

  it('lets a management token through, and no other, unknown or absent one', async () => {
    const store = new MemoryAclStore();
    store.upsertToken({ accessorId: 'root', secretId: 'root-secret', type: 'management' });
    store.upsertToken({ accessorId: 'alice', secretId: 'alice-secret', type: 'client', policies: [] });
    const broker = new EventBroker({ acl: new AclResolver({ store }) });
    const denied: unknown[] = [];
    broker.on('denied', ({ accessorId }) => denied.push(accessorId));
    expect(await codeOf(broker.requireManagement({ token: 'root-secret' }))).toBe('allowed');
    expect(await codeOf(broker.requireManagement({ token: () => Promise.resolve('root-secret') }))).toBe('allowed');
    for (const credentials of [{ token: 'alice-secret' }, { token: 'nobody' }, { token: '' }, {}])
      expect(await codeOf(broker.requireManagement(credentials))).toBe('permission_denied');
    expect(denied[0]).toBe('alice');
    expect(denied).toHaveLength(4);
  });

  it('denies a token that has expired, and fails closed where the store fails', async () => {
    const clock = new VirtualClock();
    const records = new MemoryAclStore();
    const store = new FaultyAclStore(records);
    const expirationTime = clock.now() + 1000;
    records.upsertToken({ accessorId: 'root', secretId: 's', type: 'management', expirationTime });
    const broker = new EventBroker({ acl: new AclResolver({ store, clock }), clock });
    expect(await codeOf(broker.requireManagement({ token: 's' }))).toBe('allowed');
    await clock.advance(1001);
    expect(await codeOf(broker.requireManagement({ token: 's' }))).toBe('permission_denied');
    store.failWith();
    expect(await codeOf(broker.requireManagement({ token: 'other' }))).toBe('acl_unavailable');
  });

  it('denies everybody on a broker without acl, but who the host itself says is management', async () => {
    const broker = new EventBroker();
    for (const credentials of [{}, { token: 'any' }, { token: () => undefined }])
      expect(await codeOf(broker.requireManagement(credentials))).toBe('permission_denied');
    expect(await codeOf(broker.requireManagement({ acl: Acl.management }))).toBe('allowed');
    expect(await codeOf(broker.requireManagement({ acl: () => Acl.management }))).toBe('allowed');
    expect(
      await codeOf(
        broker.requireManagement({ acl: Acl.fromRules([{ node: { policy: 'read' } }], { rights: nomadRights }) }),
      ),
    ).toBe('permission_denied');
    await broker.close();
    expect(await codeOf(broker.requireManagement({ acl: Acl.management }))).toBe('closed');
  });

  it('refuses an option that it does not know', async () => {
    await expect(new EventBroker().requireManagement({ tokens: 's' } as never)).rejects.toThrow(/tokens.*token/);
  });
});
