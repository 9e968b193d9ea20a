import { AclResolver } from '../../src/acl/acl-resolver.ts';
import { MemoryAclStore } from '../../src/acl/acl-store.ts';
import type { PolicyRules } from '../../src/acl/policy-rules.ts';
import { EventBroker, type EventBrokerOptions } from '../../src/core/broker/event-broker.ts';
import type { SubscribeOptions } from '../../src/core/broker/subscribe-request.ts';
import type { Subscription } from '../../src/core/delivery/subscription.ts';
import { nomadEvents, nomadRights, nomadTopics } from '../../src/nomad/index.ts';
import { FaultyAclStore } from '../../src/testing/faulty-acl-store.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';

export const secretOf = (accessorId: string): string => `s3cret-of-${accessorId}`;
export const TIMEOUT_MS = 5000;

export const readIn = (...namespaces: readonly string[]): PolicyRules => ({
  namespace: Object.fromEntries(namespaces.map((name) => [name, { policy: 'read' as const }])),
});

/** A broker with Nomad's topics, whose tokens live in a store with faults on demand, on a clock that the test moves. */
export class AclWorld {
  readonly clock = new VirtualClock();
  readonly records = new MemoryAclStore();
  readonly store = new FaultyAclStore(this.records, { clock: this.clock });
  readonly resolver = new AclResolver({ rights: nomadRights, store: this.store, clock: this.clock });
  readonly broker;

  constructor(options: Pick<EventBrokerOptions, 'buffer'> = {}) {
    this.broker = new EventBroker({
      topics: nomadTopics,
      acl: this.resolver,
      clock: this.clock,
      reauthorizeTimeoutMs: TIMEOUT_MS,
      ...options,
    });
  }

  token(
    accessorId: string,
    given: { policies?: string[]; roles?: string[]; expiresInMs?: number; management?: boolean } = {},
  ): void {
    this.records.upsertToken({
      accessorId,
      secretId: secretOf(accessorId),
      type: given.management === true ? 'management' : 'client',
      policies: given.policies ?? [],
      roles: (given.roles ?? []).map((id) => ({ id })),
      expirationTime: given.expiresInMs === undefined ? undefined : this.clock.now() + given.expiresInMs,
    });
  }

  policy(name: string, rules: PolicyRules): void {
    this.records.upsertPolicy({ name, rules });
  }

  role(id: string, ...policies: readonly string[]): void {
    this.records.upsertRole({ id, policies: policies.map((name) => ({ name })) });
  }

  subscribe(accessorId: string | undefined, options: SubscribeOptions<'Job'> = {}): Promise<Subscription> {
    const token = accessorId === undefined ? {} : { token: secretOf(accessorId) };
    return this.broker.subscribe({
      topics: ['Job'],
      ...token,
      ...options,
    }) as Promise<unknown> as Promise<Subscription>;
  }

  /** @returns its index */
  job(namespace = 'default', key = 'web'): Promise<number> {
    return this.broker.publish(nomadEvents.jobRegistered({ ID: key, Namespace: namespace }));
  }

  async jobs(count: number): Promise<readonly number[]> {
    const indexes: number[] = [];
    for (let i = 0; i < count; i++) indexes.push(await this.job());
    return indexes;
  }

  tokenChanged(AccessorID: string): Promise<number> {
    return this.broker.publish(nomadEvents.aclTokenUpserted({ AccessorID }));
  }

  policyChanged(Name: string): Promise<number> {
    return this.broker.publish(nomadEvents.aclPolicyUpserted({ Name }));
  }

  roleChanged(ID: string): Promise<number> {
    return this.broker.publish(nomadEvents.aclRoleUpserted({ ID, Name: `name of ${ID}` }));
  }
}
