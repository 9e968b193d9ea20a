import type { StreamOptions } from 'fenceline/client';
import type { FaultyProxy } from '../client/faulty-proxy.ts';
import { ExpiryCheck, FenceCheck, LaneCheck, ScopeCheck, StateCheck } from './checks.ts';
import type { Check, Expiry, Fence } from './checks.ts';
import { http2Fetch } from './http2-fetch.ts';
import type { ServerProcess, Target } from './server-process.ts';
import type { Made } from './topics.ts';
import type { RightsHistory, Truth } from './truth.ts';
import { Witness, type WitnessOptions } from './witness.ts';

export interface ReaderWorld {
  readonly servers: readonly ServerProcess[];
  /** One in front of each server. */
  readonly proxies: readonly FaultyProxy[];
  readonly truth: Truth;
  readonly fence: Readonly<Fence>;
  readonly expiry: Readonly<Expiry>;
  readonly history: RightsHistory;
  readonly random: () => number;
  /** From publish to reader, on the server that runs through. */
  readonly onLatency: (ms: number) => void;
  /** Nobody is slow or leaves any more. */
  readonly isOver: () => boolean;
}

const denials = ['permission_denied', 'acl_revoked', 'acl_expired', 'acl_unavailable'];
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const all: StreamOptions = { topics: ['Job'], namespace: '*', token: 'good' };

/** The good readers of the soak, of every kind. */
export class Readers {
  readonly all: Witness[] = [];
  /** Those that have to get everything, before the soak may end. */
  readonly whole: LaneCheck[] = [];
  readonly states: StateCheck[] = [];
  readonly #world: ReaderWorld;

  constructor(world: ReaderWorld) {
    this.#world = world;
    const mounts = world.servers[0]?.targets ?? [];
    for (const [i, { name }] of mounts.entries()) {
      for (const server of world.servers.keys()) this.#steady(name, server);
      this.#churning(name, i % 2);
    }
    for (let i = 0; i < 6; i++) this.#scoped(mounts[i % mounts.length]?.name ?? '', i % 2);
    for (let i = 0; i < 8; i++) this.#cut(i % 2);
    for (let i = 0; i < 4; i++) this.#slow(i % 2);
    for (let i = 0; i < 4; i++) this.#leaving();
    for (let i = 0; i < 3; i++) this.#expiring(i % 2);
    for (let i = 0; i < 8; i++) this.#ofState(i);
  }

  #steady(mount: string, server: number): void {
    const onBatch: WitnessOptions['onBatch'] = ({ events }) => {
      const [event] = events;
      if (event) this.#world.onLatency(Date.now() - (event.payload as Made).at);
    };
    const more = server === 0 ? { onBatch } : {};
    this.#add('steady, one for each mount and server', this.#to(mount, server), all, this.#lanes(), more);
  }

  #churning(mount: string, server: number): void {
    const stream = { ...all, token: 'churn' };
    const checks = [...this.#lanes(), new FenceCheck(this.#world.fence)];
    this.#add('rights are taken away and given back', this.#to(mount, server), stream, checks);
  }

  #scoped(mount: string, server: number): void {
    const { namespace: _default, ...others } = all;
    const stream = { ...others, token: 'scope', headers: { 'X-Scope': 'allowed' } };
    const check = new ScopeCheck(this.#world.truth, this.#world.history);
    this.#add('rights widen and narrow, scope allowed', this.#to(mount, server), stream, [check]);
  }

  /** Its connection breaks in some way, soon after it was made, every time. */
  #cut(server: number): void {
    const proxy = this.#world.proxies[server];
    this.#add('connection cut, reset, stalled, garbled', this.#through(proxy), all, this.#lanes());
  }

  /** Takes a batch now and then, and falls behind the buffer in every burst. */
  #slow(server: number): void {
    const { random } = this.#world;
    let taken = 0;
    // Long enough to be behind, and not so long that it is never at the head again.
    const pace = (): Promise<void> => pause(++taken % 2000 < 20 ? 200 + random() * 200 : 0);
    this.#add('slow', this.#to('node:http', server), all, this.#lanes(), { pace });
  }

  /** Leaves and comes back after a while, to either server. */
  #leaving(): void {
    const { random } = this.#world;
    const fetch: typeof globalThis.fetch = async (input, init) => {
      await pause(random() * 3000);
      return this.#to('Koa', random() < 0.5 ? 0 : 1)(input, init);
    };
    const leaves = (): 'resume' | 'no' => (random() < 0.002 ? 'resume' : 'no');
    this.#add('leave, and resume on either server', fetch, all, this.#lanes(), { leaves });
  }

  #expiring(server: number): void {
    const checks = [...this.#lanes(), new ExpiryCheck(this.#world.expiry)];
    this.#add('token expires and is renewed', this.#to('Express', server), { ...all, token: 'short' }, checks);
  }

  /** Of the state: steady ones, slow ones, and ones whose connections break. */
  #ofState(i: number): void {
    const { truth, proxies, random, isOver } = this.#world;
    const check = new StateCheck(truth);
    this.states.push(check);
    const stream: StreamOptions = { topics: ['Item'], namespace: '*', token: 'good', state: true };
    const fetch = i < 3 ? this.#through(proxies[i % 2]) : this.#to('Fastify', i % 2);
    const pace = i > 5 ? () => pause(isOver() ? 0 : random() * 300) : undefined;
    const leaves = (): 'anew' | 'resume' | 'no' => {
      const chance = isOver() ? 1 : random();
      return chance < 0.004 ? 'anew' : chance < 0.01 ? 'resume' : 'no';
    };
    const more = { leaves, onAnew: () => check.begin(), ...(pace && { pace }) };
    this.#add('state, then live', fetch, stream, [check], more);
  }

  #lanes(): readonly Check[] {
    const check = new LaneCheck(this.#world.truth);
    this.whole.push(check);
    return [check];
  }

  #add(
    kind: string,
    fetch: typeof globalThis.fetch,
    stream: StreamOptions,
    checks: readonly Check[],
    more: Partial<WitnessOptions> = {},
  ): void {
    const mayEndWith = stream.token === 'good' ? [] : denials;
    const name = `${kind} ${this.all.length}`;
    this.all.push(new Witness({ name, kind, fetch, stream, checks, mayEndWith, ...more }));
  }

  /** To a mount of a server, wherever it is by now. */
  #to(mount: string, server: number): typeof globalThis.fetch {
    return async (input, init) => {
      const target = this.#world.servers[server]?.target(mount);
      if (!target) throw new Error(`There is no server ${server}.`);
      const fetch = target.protocol === 'http2' ? http2Fetch : globalThis.fetch;
      return fetch(moved(input, target, target.port), init);
    };
  }

  #through(proxy: FaultyProxy | undefined): typeof globalThis.fetch {
    return async (input, init) => {
      const target = this.#world.servers[0]?.targets[0] ?? this.#world.servers[1]?.targets[0];
      if (!target || !proxy) throw new Error('No server is up.');
      return globalThis.fetch(moved(input, target, proxy.port), init);
    };
  }
}

function moved(input: string | URL | Request, { path }: Target, port: number): string {
  const { search } = new URL(input instanceof Request ? input.url : input);
  return `http://127.0.0.1:${port}${path}${search}`;
}
