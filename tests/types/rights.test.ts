import { describe, expectTypeOf, it } from 'vitest';
import {
  Acl,
  AclResolver,
  defineRights,
  defineTopics,
  EventBroker,
  MemoryAclStore,
  payloadOf,
  type AclStore,
  type EventOf,
  type PolicyRules,
} from 'fenceline';
import { nomadRights } from 'fenceline/nomad';

interface Order {
  readonly owner: string;
}

const rights = defineRights({
  namespace: { capabilities: ['read-orders', 'read-audit'], levels: { read: ['read-orders'] } },
  system: { capabilities: ['read-metrics'], byLevel: ['watch'], levels: { watch: ['watch'] } },
});

/** Checked by the compiler, and never run. */
export function mustNotCompile(): void {
  // @ts-expect-error a capability that the rights do not have
  Acl.fromRules([{ namespace: { a: { capabilities: ['read-oders'] } } }], { rights });
  // @ts-expect-error a level that they do not have
  Acl.fromRules([{ namespace: { a: { policy: 'write' } } }], { rights });
  // @ts-expect-error a block that they do not have
  Acl.fromRules([{ node: { policy: 'read' } }], { rights });
  // @ts-expect-error a capability of another block
  Acl.fromRules([{ system: { capabilities: ['read-orders'] } }], { rights });
  // @ts-expect-error a capability that a level alone grants
  Acl.fromRules([{ system: { capabilities: ['watch'] } }], { rights });
  const store = new MemoryAclStore({ rights });
  // @ts-expect-error a capability that the store's rights do not have
  void store.upsertPolicy({ name: 'p', rules: { namespace: { a: { capabilities: ['read-oders'] } } } });
  // @ts-expect-error a topic that needs what the rights do not have
  defineTopics({ Order: { requires: { namespace: 'read-oders' } } }, { rights });
  // @ts-expect-error a topic that needs a block that they do not have
  defineTopics({ Order: { requires: { node: 'read' } } }, { rights });
  // @ts-expect-error a level that names no capability of Nomad's
  Acl.fromRules([{ namespace: { a: { policy: 'reed' } } }], { rights: nomadRights });
  // @ts-expect-error rights that are none
  void new AclResolver({ store, rights: {} });
  // @ts-expect-error a rule that answers later
  defineTopics({ Order: { visible: async () => true } });
  // @ts-expect-error a member that the payload does not have
  defineTopics({ Order: { payload: payloadOf<Order>(), visible: (_, { payload }) => payload.owned } });
  // @ts-expect-error a scope that does not exist
  void new EventBroker().subscribe({ scope: 'some' });
}

describe('rights that are known', () => {
  it('are what rules may say', () => {
    Acl.fromRules([{ namespace: { a: { policy: 'read', capabilities: ['read-audit', 'deny'] } } }], { rights });
    Acl.fromRules(
      [{ namespace: [{ a: { policy: 'deny' } }, { b: [{ policy: 'read' }] }], system: { policy: 'watch' } }],
      {
        rights,
      },
    );
    expectTypeOf(rights.needs).toEqualTypeOf<{
      readonly namespace: 'read-orders' | 'read-audit';
      readonly system: 'read-metrics' | 'watch';
    }>();
  });

  it('are what topics may need, with the payloads as they are', () => {
    const topics = defineTopics(
      {
        Order: {
          payload: payloadOf<Order>(),
          requires: { namespace: 'read-orders' },
          visible: (claims, { payload }) => payload.owner === claims['userId'],
        },
        Load: { requires: { system: 'watch' } },
        Old: { requires: 'anyone', aliasOf: 'Order', types: ['OrderPlaced'] },
      },
      { rights },
    );
    expectTypeOf<EventOf<typeof topics.payloads>['topic']>().toEqualTypeOf<'Order' | 'Load'>();
    const broker = new EventBroker({ topics });
    void broker.publish({ topic: 'Order', type: 'x', key: 'k', payload: { owner: 'alice' } });
  });

  it('take claims of the host’s own type', () => {
    interface Claims {
      readonly userId: string;
    }
    const claims: Claims = { userId: 'alice' };
    Acl.fromRules([], { claims });
    defineTopics({
      Order: {
        payload: payloadOf<Order>(),
        visible: ({ userId }: Claims, { payload }) => payload.owner === userId,
      },
    });
  });
});

describe('a store with rights', () => {
  it('goes where any store goes', () => {
    const store: AclStore = new MemoryAclStore({ rights });
    void new AclResolver({ store, rights });
  });
});

describe('rights that are not known', () => {
  it('leave rules to their form', () => {
    const rules: PolicyRules = {
      namespace: { a: { policy: 'read', variables: { path: { x: { capabilities: ['list'] } } } } },
      node_pool: { '*': { policy: 'read' } },
      node: { policy: 'read' },
    };
    new MemoryAclStore().upsertPolicy({ name: 'p', rules });
    // @ts-expect-error a rule that is none
    const wrong: PolicyRules = { namespace: { a: 'read' } };
    expectTypeOf(wrong).toEqualTypeOf<PolicyRules>();
  });
});
