import { AclResolver } from '../../src/acl/acl-resolver.ts';
import { MemoryAclStore } from '../../src/acl/acl-store.ts';
import { BrokerError } from '../../src/core/errors.ts';
import { EventBroker } from '../../src/core/event-broker.ts';
import { defineTopics } from '../../src/core/topics.ts';
import { FaultyAclStore } from '../../src/testing/faulty-acl-store.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { AclTruth, type TruthEvent, type TruthState } from './acl-truth.ts';
import type { FenceHistory, Step, StoreMode } from './fence-steps.ts';
import { FenceWitness } from './fence-witness.ts';

export const TIMEOUT_MS = 5000;

const topics = defineTopics({
  Job: { requires: { namespace: 'read-job' } },
  ACLToken: { aclChange: 'token' },
  ACLPolicy: { aclChange: 'policy' },
  ACLRole: { aclChange: 'role' },
});

/** A subscription as a history drives it. What it is handed goes to its witness at once. */
export interface DrivenReader {
  /** Reads up to so many batches, or lets the transport take more. */
  read(count: number): void | Promise<void>;
  /** The transport takes no more. */
  block(): void;
  close(): void;
}

export type OpenReader = (
  world: FenceWorld,
  step: Extract<Step, { do: 'subscribe' }>,
  witness: FenceWitness,
) => Promise<DrivenReader>;

/** Runs one history against a real broker, and the naive truth beside it. */
export class FenceWorld {
  readonly clock = new VirtualClock();
  readonly truth: AclTruth;
  readonly events: TruthEvent[] = [];
  readonly witnesses: FenceWitness[] = [];
  readonly broker;
  /** The store was slow, held or failing at some time: subscriptions may end as `acl_unavailable`. */
  hadFaults = false;
  readonly #records = new MemoryAclStore();
  readonly #store = new FaultyAclStore(this.#records, { clock: this.clock });
  readonly #openReader: OpenReader;
  readonly #readers: DrivenReader[] = [];
  readonly #openings: Promise<void>[] = [];

  constructor({ maxBatches }: Pick<FenceHistory, 'maxBatches'>, openReader: OpenReader) {
    this.#openReader = openReader;
    this.broker = new EventBroker({
      topics,
      acl: new AclResolver({ store: this.#store, clock: this.clock }),
      clock: this.clock,
      buffer: { maxBatches },
      reauthorizeTimeoutMs: TIMEOUT_MS,
    });
    this.truth = new AclTruth({ policies: new Map(), roles: new Map(), tokens: new Map() });
    this.#commit('policies', 'p0', { default: 'read' });
    this.#commit('policies', 'p1', { '*': 'read' });
    this.#commit('roles', 'r0', ['p1']);
    this.#commit('tokens', 't0', { policies: ['p0'], roles: [], expiresAt: undefined });
    this.#commit('tokens', 't1', { policies: [], roles: ['r0'], expiresAt: undefined });
  }

  get head(): number {
    return this.broker.stats().latestIndex;
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) await this.#take(step);
    await this.#finish();
  }

  /** Everything recovers and everybody reads: then who is open must have all. */
  async #finish(): Promise<void> {
    this.#store.recover();
    await this.clock.advance(TIMEOUT_MS + 1);
    await Promise.all(this.#openings);
    // Gaps are told with the next batch: here it is.
    this.#publish(['default', 'prod']);
    for (let round = 0; round < 3; round++) {
      for (const reader of this.#readers) await reader.read(Infinity);
      await this.clock.settle();
    }
    for (const witness of this.witnesses) witness.checkComplete(this.clock.now(), this.hadFaults);
    for (const reader of this.#readers) reader.close();
    await this.broker.close();
  }

  async #take(step: Step): Promise<void> {
    switch (step.do) {
      case 'publish':
        return this.#publish(step.namespaces);
      case 'policy':
        this.#commit('policies', step.name, step.grant);
        return this.#tell('ACLPolicy', 'policy', step.name, step.isEvent);
      case 'role':
        this.#commit('roles', 'r0', step.policies);
        return this.#tell('ACLRole', 'role', 'r0', step.isEvent);
      case 'token': {
        const { expiresInMs, ...token } = step.token ?? { policies: [], roles: [], expiresInMs: undefined };
        const expiresAt = expiresInMs === undefined ? undefined : this.clock.now() + expiresInMs;
        this.#commit('tokens', step.who, step.token && { ...token, expiresAt });
        return this.#tell('ACLToken', 'token', step.who, step.isEvent);
      }
      case 'store':
        return this.#setStore(step.mode);
      case 'release':
        return this.#store.release(step.count);
      case 'subscribe':
        return this.#subscribe(step);
      case 'read':
        return this.#readers[step.reader]?.read(step.count);
      case 'block':
        return this.#readers[step.reader]?.block();
      case 'close':
        return this.#readers[step.reader]?.close();
      case 'microtasks':
        for (let i = 0; i < step.count; i++) await null;
        return;
      case 'settle':
        return this.clock.settle();
      case 'advance':
        return this.clock.advance(step.ms);
    }
  }

  #publish(namespaces: readonly string[]): void {
    const index = this.head + 1;
    for (const namespace of namespaces) this.events.push({ index, namespace, publishedAt: this.clock.now() });
    const events = namespaces.map(
      (namespace) => ({ topic: 'Job', type: 'x', key: 'k', namespace, payload: null }) as const,
    );
    void this.broker.publish(events);
  }

  /** The change is committed, and told in the same turn: nothing else can happen in between. */
  #tell(topic: 'ACLToken' | 'ACLPolicy' | 'ACLRole', object: string, key: string, isEvent: boolean): void {
    if (isEvent) void this.broker.publish({ topic, type: 'x', key, payload: null });
    else void this.broker.aclChanged({ [object]: key } as never);
  }

  /** What is published after the news of it has a greater index than this. */
  #commit<K extends keyof TruthState>(kind: K, name: string, value: unknown): void {
    const objects = new Map<string, unknown>(this.truth.now[kind]);
    if (value === undefined) objects.delete(name);
    else objects.set(name, value);
    this.truth.change(this.head, { ...this.truth.now, [kind]: objects });
    this.#record(kind, name);
  }

  #record(kind: keyof TruthState, name: string): void {
    const { policies, roles, tokens } = this.truth.now;
    const [grant, links, token] = [policies.get(name), roles.get(name), tokens.get(name)];
    if (kind === 'policies' && grant === undefined) this.#records.deletePolicy(name);
    if (kind === 'policies' && grant !== undefined)
      this.#records.upsertPolicy({
        name,
        rules: { namespace: Object.fromEntries(Object.entries(grant).map(([at, policy]) => [at, { policy }])) },
      });
    if (kind === 'roles' && links === undefined) this.#records.deleteRole(name);
    if (kind === 'roles' && links !== undefined)
      this.#records.upsertRole({ id: name, policies: links.map((policy) => ({ name: policy })) });
    if (kind === 'tokens' && token === undefined) this.#records.deleteToken(name);
    if (kind === 'tokens' && token !== undefined)
      this.#records.upsertToken({
        accessorId: name,
        secretId: `s3cret-of-${name}`,
        type: 'client',
        policies: token.policies,
        roles: token.roles.map((id) => ({ id })),
        expirationTime: token.expiresAt,
      });
  }

  #setStore(mode: StoreMode): void {
    if (mode !== 'healthy') this.hadFaults = true;
    this.#store.recover();
    switch (mode) {
      case 'healthy':
        return;
      case 'held':
        return this.#store.hold('before-reading');
      case 'held-stale':
        return this.#store.hold('after-reading');
      case 'failing':
        return this.#store.failWith();
      case 'slow':
        return this.#store.delayBy(700, 'before-reading');
      case 'slow-stale':
        return this.#store.delayBy(700, 'after-reading');
    }
  }

  #subscribe(step: Extract<Step, { do: 'subscribe' }>): void {
    const witness = new FenceWitness(this, step);
    const opening = this.#openReader(this, step, witness).then(
      (reader) => {
        this.#readers.push(reader);
        this.witnesses.push(witness);
      },
      (error: unknown) => {
        if (!BrokerError.is(error)) throw error;
      },
    );
    this.#openings.push(opening);
  }
}
