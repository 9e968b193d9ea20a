// The broker in process.
import assert from 'node:assert/strict';
import { channel } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { EventBroker, MemoryAclStore } from 'fenceline';
import { nomadRights } from 'fenceline/nomad';

import { check } from './checks.mjs';
import { order, shop } from './orders.mjs';

const require = createRequire(import.meta.url);
const { exports } = JSON.parse(readFileSync(require.resolve('fenceline/package.json'), 'utf8'));
const subpaths = Object.keys(exports).filter((subpath) => subpath !== './package.json');

for (const subpath of subpaths) {
  const specifier = `fenceline${subpath.slice(1)}`;
  check(`${specifier} loads by import and by require, with the same names`, async () => {
    const loaded = await import(specifier);
    assert.notEqual(Object.keys(loaded).length, 0);
    const names = Object.keys(require(specifier)).filter((name) => name !== '__esModule');
    assert.deepEqual(names.toSorted(), Object.keys(loaded).toSorted());
  });
}

check('publishes, polls, and loops in order', async () => {
  const broker = new EventBroker();
  const subscription = await broker.subscribe();
  await broker.publish([order(1), order(2)]);
  assert.deepEqual(
    subscription.poll().events.map(({ key }) => key),
    ['o1', 'o2'],
  );
  const looped = (async () => {
    for await (const { events } of subscription) return events[0].payload;
  })();
  await broker.publish(order(3));
  assert.deepEqual(await looped, { n: 3 });
  await broker.close();
});

check('tells a gap', async () => {
  const broker = new EventBroker({ buffer: { maxBatches: 2 } });
  for (const n of [1, 2, 3, 4]) await broker.publish(order(n));
  const subscription = await broker.subscribe({ index: 1 });
  assert.deepEqual(subscription.poll().gap, { from: 1, to: 2, reason: 'trimmed' });
});

check('hands over the state, then what is live', async () => {
  const { broker, rightsOf, publish } = shop();
  for (const n of [1, 1, 2]) await publish(n);
  const subscription = await broker.subscribe({ topics: ['Order'], state: true, acl: rightsOf('alice') });
  const keys = [];
  for (let batch = subscription.poll(); batch && !batch.current; batch = subscription.poll())
    keys.push(...batch.events.map(({ key }) => key));
  assert.deepEqual(keys, ['o1', 'o2']);
});

check('ends a stream at the place where its right is taken away', async () => {
  const { broker, rightsOf, revoke, publish } = shop();
  const subscription = await broker.subscribe({ topics: ['Order'], acl: () => rightsOf('alice') });
  await publish(1);
  const revoked = revoke();
  await publish(2);
  await revoked;
  assert.equal((await subscription.next()).value.index, 1);
  await assert.rejects(subscription.next(), { code: 'acl_revoked' });
});

check('tells what it publishes on its diagnostics channel', async () => {
  const told = [];
  const listen = (message) => told.push(message.topics);
  channel('tracing:fenceline.publish:end').subscribe(listen);
  await new EventBroker().publish(order(1));
  channel('tracing:fenceline.publish:end').unsubscribe(listen);
  assert.deepEqual(told, [['Order']]);
});

check('reads HCL with its optional package', async () => {
  const store = new MemoryAclStore({ rights: nomadRights });
  await store.upsertPolicy({ name: 'reader', rules: 'namespace "default" { policy = "read" }' });
  assert.ok(await store.policyByName('reader'));
});
