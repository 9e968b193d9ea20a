import { expect, it } from 'vitest';

import { EventBroker } from '../../src/index.ts';
import { describeWithRedis } from '../servers/redis-server.ts';
import type { RedisServer, TestClient } from '../servers/redis-server.ts';
import {
  bodyOf,
  cleanUp,
  cleanUpAfterEach,
  connect,
  follow,
  insist,
  openOn,
  startServer,
  whenOver,
} from './redis-around.ts';
import { SwitchedPort } from './switched-port.ts';

/** `REDIS_FAILOVERS=100 npx vitest run tests/logs/redis-failover.test.ts` is the long run. */
const ROUNDS = Number(process.env['REDIS_FAILOVERS'] ?? 6);
const KEPT = 10;
const LOST = 5;

/** Makes the server of `admin` a replica of the primary, in step with it. */
async function startReplica(primary: RedisServer, admin: TestClient): Promise<void> {
  await admin.run('REPLICAOF', '127.0.0.1', `${primary.port}`);
  for (let info = ''; !info.includes('master_link_status:up');) info = String(await admin.run('INFO', 'replication'));
}

describeWithRedis('a failover to a replica that lacks the end', () => {
  cleanUpAfterEach();

  it(`is told to every reader, whatever was appended after it, in ${ROUNDS} of ${ROUNDS} runs`, async () => {
    for (let round = 0; round < ROUNDS; round++) await failOver(round);
  });

  /** After it as many, fewer, or more records than were lost are appended to the new primary. */
  async function failOver(round: number): Promise<void> {
    const [primary, replica] = [await startServer(), await startServer()];
    const onReplica = await connect(replica);
    const port = await SwitchedPort.open(primary.port);
    whenOver(() => port.close());
    const kind = round % 2 === 0 ? 'redis' : 'ioredis';
    const through = { url: `redis://127.0.0.1:${port.port}` } as RedisServer;

    const log = await openOn(through, kind);
    const tails = await Promise.all([follow(log), follow(await openOn(through, kind)), follow(log)]);
    const broker = new EventBroker({ log: await openOn(through, kind) });
    whenOver(() => broker.close());
    const subscription = await broker.subscribe({ index: 0 });
    await startReplica(primary, onReplica);
    for (let n = 0; n < KEPT; n++) await broker.publish({ topic: 'A', type: 'T', key: `kept-${n}`, payload: {} });
    while (Number(await onReplica.run('XLEN', 'events')) < KEPT);
    // From here on the replica gets nothing more.
    await onReplica.run('REPLICAOF', 'NO', 'ONE');
    for (let n = 0; n < LOST; n++) await broker.publish({ topic: 'A', type: 'T', key: `lost-${n}`, payload: {} });
    const old = await log.state();
    for (const tail of tails) await tail.until(() => tail.indexes.length === KEPT + LOST);
    for (let n = 1; n <= KEPT + LOST; n++) expect(await subscription.next()).toMatchObject({ value: { index: n } });

    // Others append to the new primary first: the indexes of the lost records are given again, by a process that never
    // saw them, and whose opening is not asked whether this is another run of the server.
    await port.switchTo(replica.port, async () => {
      await primary.kill();
      const added = [LOST - 2, LOST, LOST + 3, 0][round % 4] ?? 0;
      if (added > 0) {
        const other = await openOn(replica, kind);
        for (let n = 0; n < added; n++) await other.append(bodyOf(`other-${n}`));
      }
    });
    for (const tail of tails) await tail.until(() => tail.calls.some(({ type }) => type === 'reset'));
    const reset = tails[0]?.calls.find((call) => call.type === 'reset');
    expect(reset).toMatchObject({ type: 'reset', state: { epoch: expect.not.stringMatching(old.epoch) as string } });
    for (const tail of tails) await tail.until(() => tail.statuses.at(-1) === 'up');
    const { index } = await insist(() => log.append(bodyOf('after')));
    for (const tail of tails) await tail.until(() => tail.indexes.at(-1) === index);
    const { value: part } = await subscription.next();
    expect(part).toMatchObject({ gap: { reason: 'restarted' } });
    await cleanUp();
  }
});
