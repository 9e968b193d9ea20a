// Publishing to many subscriptions whose rights tell them apart in one way or another.
import { Acl, AclResolver, defineTopics, EventBroker, MemoryAclStore } from 'fenceline';
import { cpuSeconds, immediate } from './cpu.mjs';

const SUBSCRIPTIONS = 10_000;
const readOrders = { capabilities: ['read-orders'] };

const topics = defineTopics({
  Order: { requires: { namespace: 'read-orders' } },
  Owned: {
    requires: { namespace: 'read-orders' },
    visible: ({ userId }, { payload }) => payload.owner === userId,
  },
  Shared: {
    requires: { namespace: 'read-orders' },
    visible: ({ userId }, { payload }) => payload.owner === 'all' || payload.owner === userId,
  },
});

/**
 * @param by what tells subscriptions apart: `'token'` and `'scope'` a namespace, `'claims'` the rule of a topic,
 * `'everybody'` a rule that lets all of them see the event
 * @param distinct how many there are to be told apart
 * @returns CPU µs of a publish, and how many interests there were
 */
export async function measure({ by, distinct }) {
  const broker = new EventBroker({ topics, acl: new AclResolver({ store: storeOf(distinct) }) });
  const topic = by === 'claims' ? 'Owned' : by === 'everybody' ? 'Shared' : 'Order';
  for (let i = 0; i < SUBSCRIPTIONS; i++)
    await broker.subscribe({ topics: [topic], index: 'latest', ...optionsOf(by, i % distinct, distinct) });
  const events = by === 'claims' && distinct > 1 ? 200 : by === 'everybody' ? 50 : 20_000;
  const run = async () => {
    for (let n = 0; n < events; n++) {
      const i = (n * 7919) % distinct;
      const owner = by === 'everybody' ? 'all' : `user-${i}`;
      void broker.publish({
        topic,
        type: 'Placed',
        key: 'o',
        namespace: namespaceOf(by, i, distinct),
        payload: { owner },
      });
      if (n % 64 === 0) await immediate();
    }
  };
  await run();
  globalThis.gc?.();
  const before = cpuSeconds();
  await run();
  return { microsPerPublish: ((cpuSeconds() - before) / events) * 1e6, interests: broker.stats().interests };
}

function storeOf(distinct) {
  const store = new MemoryAclStore();
  for (let i = 0; i < distinct; i++) {
    const namespace = { [namespaceOf('token', i, distinct)]: readOrders };
    store.upsertPolicy({ name: `policy-${i}`, rules: { namespace } });
  }
  for (let i = 0; i < SUBSCRIPTIONS; i++) {
    const policies = [`policy-${i % distinct}`];
    store.upsertToken({ accessorId: `token-${i}`, secretId: `secret-${i}`, type: 'client', policies });
  }
  return store;
}

function optionsOf(by, i, distinct) {
  const namespace = namespaceOf(by, i, distinct);
  if (by === 'token') return { namespace, token: `secret-${i}` };
  const acl = Acl.fromRules([{ namespace: { [namespace]: readOrders } }], {
    accessorId: `user-${i}`,
    claims: { userId: `user-${i}` },
  });
  return by === 'scope' ? { scope: 'allowed', acl } : { namespace, acl };
}

const namespaceOf = (by, i, distinct) =>
  distinct === 1 || by === 'claims' || by === 'everybody' ? 'acme' : `user-${i}`;
