// A policy changes under many subscriptions.
import { AclResolver, defineTopics, EventBroker, MemoryAclStore } from 'fenceline';

const TOKENS = 1000;
const SUBSCRIPTIONS = 10_000;
const readJobs = { namespace: { default: { capabilities: ['read-job'] } } };

class CountingStore extends MemoryAclStore {
  resolutions = 0;

  tokenBySecretId(secretId) {
    this.resolutions++;
    return super.tokenBySecretId(secretId);
  }
}

/** Every other token has the policy that changes. */
export async function measure() {
  const store = fillStore(new CountingStore());
  const topics = defineTopics({ Job: { requires: { namespace: 'read-job' } } });
  const broker = new EventBroker({ topics, acl: new AclResolver({ store }) });
  const subscriptions = [];
  for (let i = 0; i < SUBSCRIPTIONS; i++) {
    subscriptions.push(await broker.subscribe({ topics: ['Job'], token: `secret-${i % TOKENS}` }));
  }
  await change(store, broker, subscriptions);
  return change(store, broker, subscriptions);
}

function fillStore(store) {
  for (const name of ['changing', 'other']) store.upsertPolicy({ name, rules: readJobs });
  for (let i = 0; i < TOKENS; i++) {
    const policies = [i % 2 === 0 ? 'changing' : 'other'];
    store.upsertToken({ accessorId: `token-${i}`, secretId: `secret-${i}`, type: 'client', policies, roles: [] });
  }
  return store;
}

/** @returns how long the publisher was held, how long until all may go on, and what it took */
async function change(store, broker, subscriptions) {
  store.upsertPolicy({ name: 'changing', rules: readJobs });
  store.resolutions = 0;
  const start = performance.now();
  const told = broker.aclChanged({ policy: 'changing' });
  const heldMs = performance.now() - start;
  await told;
  await broker.publish({ topic: 'Job', type: 'JobRegistered', key: 'job', namespace: 'default', payload: {} });
  const publishedMs = performance.now() - start;
  await Promise.all(subscriptions.map((subscription) => subscription.next()));
  return { heldMs, publishedMs, releasedMs: performance.now() - start, resolutions: store.resolutions };
}
