// The fragments of docs/testing.md, run.
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'vitest';
import { Acl, AclResolver, defineRights, defineTopics, EventBroker, MemoryAclStore } from 'fenceline';
import { FaultyAclStore, FaultyEventLog, MemoryEventLog, VirtualClock } from 'fenceline/testing';

const rights = defineRights({ namespace: { capabilities: ['read-orders'] } });
const topics = defineTopics({ Order: { requires: { namespace: 'read-orders' } } }, { rights });
const rule = { namespace: { default: { capabilities: ['read-orders'] } } } as const;
const rules = [rule];
const event = { topic: 'Order', type: 'OrderPlaced', key: 'o-1', namespace: 'default', payload: {} } as const;

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

describe('the guide about testing', () => {
  it('moves the clock', async () => {
    const clock = new VirtualClock();
    const broker = new EventBroker({ topics, clock });
    const expiresAt = clock.now() + 60_000;
    const acl = Acl.fromRules(rules, { accessorId: 'alice', expiresAt });
    const subscription = await broker.subscribe({ topics: ['Order'], acl });

    await clock.advance(60_000);
    await assert.rejects(subscription.next(), { code: 'acl_expired' });
    open.push(broker);
  });

  it('starts again on the same log', async () => {
    const log = new MemoryEventLog();
    const first = new EventBroker({ topics, log });
    await first.publish(event);
    await first.close();

    const second = new EventBroker({ topics, log: log.share() });
    await second.ready();
    assert.equal(second.stats().latestIndex, 1);
    open.push(second);
  });

  it('meets an outage of the log', async () => {
    const log = new FaultyEventLog(new MemoryEventLog());
    const broker = new EventBroker({ topics, log });
    await broker.ready();
    log.failNextAppend('before');
    await assert.rejects(broker.publish(event), { code: 'log_unavailable' });
    await broker.publish(event); // it answers again
    open.push(broker);
  });

  it('meets an outage of the store of rights', async () => {
    const memoryStore = new MemoryAclStore({ rights });
    memoryStore.upsertPolicy({ name: 'readers', rules: rule });
    memoryStore.upsertToken({ accessorId: 'a-1', secretId: 's3cret', type: 'client', policies: ['readers'] });
    const store = new FaultyAclStore(memoryStore);
    const broker = new EventBroker({ topics, acl: new AclResolver({ store }) });
    store.failWith(new Error('the database is down'));
    await assert.rejects(broker.subscribe({ topics: ['Order'], token: 's3cret' }), { code: 'acl_unavailable' });
    store.recover();
    await broker.subscribe({ topics: ['Order'], token: 's3cret' });
    open.push(broker);
  });

  it('explains rights', async () => {
    const broker = new EventBroker({ topics });
    const aliceOfAcme = Acl.fromRules([{ namespace: { acme: { capabilities: ['read-orders'] } } }], { rights });
    const { isAllowed } = await broker.explain({ topics: ['Order'], namespace: 'beta', acl: aliceOfAcme });
    assert.equal(isAllowed, false);
    open.push(broker);
  });
});
