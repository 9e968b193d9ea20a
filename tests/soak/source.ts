import { randomUUID } from 'node:crypto';
import type { Expiry, Fence } from './checks.ts';
import type { StoreServer } from './store-server.ts';
import { tenants } from './topics.ts';
import type { RightsHistory, Truth } from './truth.ts';

/** An event of the soak, of whichever topic. */
export interface SoakEvent {
  readonly topic: 'Job' | 'Item' | 'Token';
  readonly type: string;
  readonly key: string;
  readonly namespace: string;
  readonly payload: object;
}

/** Resolves with the index once it is acknowledged, however often that has to be tried. */
export type Publish = (event: SoakEvent, id: string) => Promise<number>;

export interface SourceOptions {
  readonly publish: Publish;
  readonly truth: Truth;
  readonly random: () => number;
  /** Events per second of all lanes together. */
  readonly rate: number;
  readonly isOver: () => boolean;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const lanes = ['a', 'b', 'c'] as const;
const OBJECTS = 300;

/** Who holds it has read the state to its end. */
export const LAST_ITEM = 'last';

/** All that is published: the lanes, the objects of the state, and changes of rights. */
export class Source {
  readonly #options: SourceOptions;
  published = 0;

  constructor(options: SourceOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    await Promise.all([...lanes.map((lane) => this.#lane(lane)), this.#items()]);
  }

  async #lane(lane: string): Promise<void> {
    const { random, truth, rate, isOver } = this.#options;
    for (let n = 0; !isOver(); n++) {
      const tenant = tenants[Math.floor(random() * tenants.length)] ?? 't0';
      const text = 'x'.repeat(random() < 0.01 ? 50_000 : random() * 500);
      const payload = { lane, n, at: Date.now(), text };
      const event = { topic: 'Job', type: 'Made', key: `k${n % 50}`, namespace: tenant, payload } as const;
      await this.#publish(event, (index) => truth.made(lane, n, tenant, index));
      // Bursts, and pauses between them.
      if (random() < 0.2) await pause((random() * 10_000 * (lanes.length + 1)) / rate);
    }
  }

  async #items(): Promise<void> {
    const { random, truth, rate, isOver } = this.#options;
    for (let n = 0; !isOver(); n++) {
      const key = `item-${Math.floor(random() ** 2 * OBJECTS)}`;
      const isRemoved = random() < 0.2;
      const type = isRemoved ? 'ItemRemoved' : 'ItemSet';
      const event = { topic: 'Item', type, key, namespace: 't0', payload: { n } } as const;
      await this.#publish(event, (index) => truth.item(key, isRemoved ? undefined : n, index));
      if (random() < 0.2) await pause((random() * 10_000 * (lanes.length + 1)) / rate);
    }
    const last = { topic: 'Item', type: 'ItemSet', key: LAST_ITEM, namespace: 't0', payload: { n: 0 } } as const;
    await this.#publish(last, (index) => truth.item(LAST_ITEM, 0, index));
  }

  async #publish(event: SoakEvent, learn: (index: number) => void): Promise<number> {
    const { truth, publish } = this.#options;
    this.published++;
    return truth.publish(() => publish(event, randomUUID()), learn);
  }

  /** First the change, then its news. */
  async #tell(accessorId: string): Promise<number> {
    const payload = { accessorId };
    const event = { topic: 'Token', type: 'TokenChanged', key: accessorId, namespace: '', payload } as const;
    return this.#publish(event, () => undefined);
  }

  /** A token that has all rights, then none, then all. */
  async churn(accessorId: string, fence: Fence, { store }: StoreServer, count: () => void): Promise<void> {
    const { random, isOver } = this.#options;
    while (!isOver()) {
      await pause(500 + random() * 3000);
      store.upsertToken(tokenOf(accessorId, []));
      fence.index = await this.#tell(accessorId);
      count();
      await pause(200 + random() * 1500);
      fence.index = undefined;
      store.upsertToken(tokenOf(accessorId, ['all']));
      await this.#tell(accessorId);
    }
  }

  /** A token whose tenants widen and narrow, down to none at times. */
  async widen(accessorId: string, history: RightsHistory, { store }: StoreServer, count: () => void): Promise<void> {
    const { random, isOver } = this.#options;
    let held: readonly string[] = tenants;
    while (!isOver()) {
      await pause(300 + random() * 2000);
      const tenant = tenants[Math.floor(random() * tenants.length)] ?? 't0';
      held = held.includes(tenant) ? held.filter((name) => name !== tenant) : [...held, tenant];
      store.upsertToken(tokenOf(accessorId, held));
      const version = history.begin(held);
      history.publish(version, await this.#tell(accessorId));
      count();
    }
  }

  /** A token that expires, and is renewed a while later. */
  async renew(accessorId: string, expiry: Expiry, { store }: StoreServer, count: () => void): Promise<void> {
    const { random, isOver } = this.#options;
    while (!isOver()) {
      await pause(Math.max(0, expiry.at - Date.now()) + 500 + random() * 2000);
      count();
      expiry.at = Date.now() + 3000 + random() * 5000;
      store.upsertToken({ ...tokenOf(accessorId, ['all']), expirationTime: expiry.at });
      await this.#tell(accessorId);
    }
  }
}

/** A token of the soak: its secret is its accessor's name. */
export function tokenOf(accessorId: string, policies: readonly string[]) {
  return { accessorId, secretId: accessorId, type: 'client', policies: [...policies] } as const;
}
