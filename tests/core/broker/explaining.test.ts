import { describe, expect, it } from 'vitest';
import { Acl, AclResolver, defineTopics, EventBroker, MemoryAclStore, type AclSource } from 'fenceline';
import { VirtualClock } from '../../../src/testing/index.ts';
import { failureOf } from '../../conformance/reading.ts';

const topics = defineTopics({
  Order: { requires: { namespace: 'read-orders' } },
  Mine: { requires: 'anyone', visible: ({ user }: { user: string }, { key }) => key === user },
});
const clock = new VirtualClock();

function world() {
  const store = new MemoryAclStore();
  store.upsertPolicy({ name: 'orders', rules: { namespace: { acme: { capabilities: ['read-orders'] } } } });
  store.upsertToken({ accessorId: 'reader', secretId: 'reader-secret', type: 'client', policies: ['orders'] });
  const late = { accessorId: 'late', secretId: 'late-secret', type: 'client', expirationTime: clock.now() } as const;
  store.upsertToken({ ...late, policies: ['orders'] });
  const acl = new AclResolver({ store, clock });
  return { broker: new EventBroker({ topics, acl, clock }), acl };
}

const mine = (key: string) => ({ topic: 'Mine', type: 'x', key, payload: null }) as const;
const orders = { topics: ['Order'], namespace: 'acme' } as const;

describe('an explanation', () => {
  it('of a token names the policies that meet the needs', async () => {
    const { broker } = world();
    const explained = await broker.explain({ ...orders, token: 'reader-secret' });
    expect(explained).toMatchObject({ token: 'client', accessorId: 'reader', isAllowed: true, rules: [] });
    expect(explained.findings).toMatchObject([{ topic: 'Order', isMet: true, metBy: [{ policy: 'orders' }] }]);
  });

  it.each<[string, string | undefined, string]>([
    ['of a token that nobody knows', 'unknown-secret', 'unknown'],
    ['of one whose time is over', 'late-secret', 'expired'],
  ])('%s says so, and asks no rule', async (_, token, state) => {
    const { broker } = world();
    for (const about of [undefined, mine('anna')])
      for (const scope of ['all', 'allowed'] as const) {
        const explained = await broker.explain({ topics: ['Mine'], scope, token: token as string }, about);
        expect(explained).toMatchObject({ token: state, isAllowed: false, rules: [] });
      }
  });

  it('of nobody is that of the anonymous token', async () => {
    const { broker } = world();
    expect(await broker.explain(orders)).toMatchObject({ token: 'anonymous', isAllowed: false });
    expect(await broker.explain({ ...orders, token: () => undefined })).toMatchObject({ token: 'anonymous' });
  });

  it('of what is allowed says whether anything is left', async () => {
    const { broker } = world();
    const ask = (namespace: string) =>
      broker.explain({ topics: ['Order'], namespace, scope: 'allowed', token: 'reader-secret' });
    expect(await ask('*')).toMatchObject({ isAllowed: true, findings: [{ isMet: false }], rules: [] });
    expect(await ask('other')).toMatchObject({ isAllowed: false, rules: [] });
  });

  it('of an event holds what each rule answers of it', async () => {
    const { broker } = world();
    const acl = Acl.fromRules([], { claims: { user: 'anna' } });
    const answers = async (key: string) => (await broker.explain({ topics: ['Mine'], acl }, mine(key))).rules;
    expect(await answers('anna')).toEqual([{ topic: 'Mine', isVisible: true, reason: 'The rule answered true.' }]);
    expect(await answers('bob')).toEqual([{ topic: 'Mine', isVisible: false, reason: 'The rule answered false.' }]);
    const order = { topic: 'Order', type: 'x', key: 'k', payload: null } as const;
    expect((await broker.explain({ topics: ['Mine'], acl }, order)).rules).toEqual([]);
    expect((await broker.explain({ topics: ['Mine'], acl })).rules).toEqual([]);
  });

  it('of an event that could not be published is refused as that', async () => {
    const { broker } = world();
    const about = { topic: 'Nonsense', type: 'x', key: 'k', payload: null };
    const asked = { topics: ['Mine'], acl: Acl.fromRules([], { claims: { user: 'anna' } }) } as const;
    expect(await failureOf(() => broker.explain(asked, about as never))).toMatchObject({ code: 'bad_request' });
  });

  it('of a token needs a source of rights that can explain; rights themselves do not', async () => {
    const { acl } = world();
    const plain: AclSource = { resolve: (secret) => acl.resolve(secret) };
    const broker = new EventBroker({ topics, acl: plain, clock });
    for (const token of ['reader-secret', () => 'reader-secret'] as const)
      expect(await failureOf(() => broker.explain({ ...orders, token }))).toMatchObject({ code: 'not_supported' });
    expect(await failureOf(() => broker.explain(orders))).toMatchObject({ code: 'not_supported' });
    expect(await broker.explain({ ...orders, acl: Acl.management })).toMatchObject({ token: 'management' });
  });
});
