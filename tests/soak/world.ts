import { EventBroker, MemoryAclStore } from 'fenceline';
import { FaultyProxy } from '../client/faulty-proxy.ts';
import { openSharedLog, type SharedLog } from '../logs/shared-log.ts';
import { SwitchedPort } from '../logs/switched-port.ts';
import type { Expiry, Fence, Violation } from './checks.ts';
import { Faults } from './faults.ts';
import { hostilePeers, type Leave } from './hostile-peers.ts';
import { startLogServer, type LogServer } from './log-server.ts';
import { growthOf, Latencies, type MemorySample, type Minute } from './measurements.ts';
import { Readers } from './readers.ts';
import type { SoakResult } from './report.ts';
import { ServerProcess } from './server-process.ts';
import { LAST_ITEM, Source, tokenOf, type Publish } from './source.ts';
import { StoreServer } from './store-server.ts';
import { tenants, topics } from './topics.ts';
import { RightsHistory, Truth } from './truth.ts';

export interface WorldOptions {
  readonly engine: string;
  readonly rate: number;
  readonly seed: number;
  readonly minutes: number;
}

type Found = Pick<SoakResult, 'minutes' | 'readers' | 'counts' | 'growth' | 'violations'>;

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const MOST_SHOWN = 20;
/** Several of the longest lines: each connection brings its reader on, nearly always. */
const PROXY_BYTES = 300_000;

/** All that takes part in a soak. */
export class World {
  readonly #minutes: number;
  readonly #log: LogServer;
  readonly #ways: readonly SwitchedPort[];
  readonly #shared: SharedLog;
  readonly #broker: EventBroker;
  readonly #store: StoreServer;
  readonly #servers: readonly [ServerProcess, ServerProcess];
  readonly #proxies: readonly FaultyProxy[];
  readonly #random: () => number;
  readonly #truth = new Truth();
  readonly #history = new RightsHistory(tenants);
  readonly #fence: Fence = { index: undefined };
  readonly #expiry: Expiry = { at: Date.now() + 5000 };
  readonly #latencies = new Latencies();
  readonly #counts: Record<string, number> = {};
  readonly #violations = { loss: 0, double: 0, leak: 0, state: 0, end: 0, left: 0 };
  readonly #memory: MemorySample[] = [];
  readonly #figures: Minute[] = [];
  readonly #source: Source;
  #startedAt = 0;
  #isOver = false;

  private constructor(
    options: WorldOptions,
    parts: {
      log: LogServer;
      ways: readonly SwitchedPort[];
      shared: SharedLog;
      store: StoreServer;
      servers: readonly [ServerProcess, ServerProcess];
      proxies: readonly FaultyProxy[];
      random: () => number;
    },
  ) {
    this.#minutes = options.minutes;
    this.#log = parts.log;
    this.#ways = parts.ways;
    this.#shared = parts.shared;
    this.#store = parts.store;
    this.#servers = parts.servers;
    this.#proxies = parts.proxies;
    this.#random = parts.random;
    this.#broker = new EventBroker({ topics, log: parts.shared.log, publishWhenDown: 'wait' }) as never;
    const isOver = () => this.#isOver;
    const { rate } = options;
    this.#source = new Source({ publish: this.#publish, truth: this.#truth, random: this.#random, rate, isOver });
  }

  static async start(options: WorldOptions): Promise<World> {
    const random = seeded(options.seed);
    const log = await startLogServer(options.engine);
    const ways = [
      await SwitchedPort.open(log.port),
      await SwitchedPort.open(log.port),
      await SwitchedPort.open(log.port),
    ];
    const [first, second, own] = ways;
    const store = new StoreServer(new MemoryAclStore());
    const url = await store.listen();
    fillStore(store);
    const shared = await openSharedLog(options.engine, own?.port ?? 0, { maxRecords: 20_000 });
    const servers = [
      new ServerProcess(options.engine, String(first?.port), url),
      new ServerProcess(options.engine, String(second?.port), url),
    ] as const;
    for (const server of servers) await server.start();
    const proxies = await Promise.all(
      servers.map((server) =>
        FaultyProxy.open(() => (server.isUp ? server.target('node:http').port : 1), random, PROXY_BYTES),
      ),
    );
    return new World(options, { log, ways, shared, store, servers, proxies, random });
  }

  /** Until the time is over, all have what they are to have, and all are gone. */
  async run(): Promise<Found> {
    this.#startedAt = Date.now();
    this.#expiry.at = this.#startedAt + 5000;
    this.#store.store.upsertToken({ ...tokenOf('short', ['all']), expirationTime: this.#expiry.at });
    const readers = new Readers({
      servers: this.#servers,
      proxies: this.#proxies,
      truth: this.#truth,
      fence: this.#fence,
      expiry: this.#expiry,
      history: this.#history,
      random: this.#random,
      onLatency: (ms) => this.#latencies.add(ms),
      isOver: () => this.#isOver,
    });
    setTimeout(() => (this.#isOver = true), this.#minutes * 60_000);
    const measuring = this.#measure(readers);
    await Promise.all([this.#source.run(), this.#change(), this.#strike(), this.#harass()]);
    await this.#settled(readers);
    await measuring;
    return this.#finish(readers);
  }

  /** Again and again with one id: what was acknowledged unheard is not doubled. */
  readonly #publish: Publish = async (event, id) => {
    for (;;) {
      try {
        return await this.#broker.publish(event as never, { id });
      } catch {
        await pause(20);
      }
    }
  };

  async #change(): Promise<void> {
    const count = (name: string) => () => this.#count(name);
    await Promise.all([
      this.#source.churn('churn', this.#fence, this.#store, count('rights taken away and given back')),
      this.#source.widen('scope', this.#history, this.#store, count('rights widened or narrowed')),
      this.#source.renew('short', this.#expiry, this.#store, count('token expired and renewed')),
    ]);
  }

  async #strike(): Promise<void> {
    const faults = new Faults({
      restarted: this.#servers[1],
      store: this.#store,
      ways: this.#ways,
      logPort: this.#log.port,
      random: this.#random,
      isOver: () => this.#isOver,
      count: (name) => this.#count(name),
      poison: async () => void (await this.#shared.log.append(Buffer.from('{"v":1,"events":[null]}'))),
    });
    await faults.run();
  }

  async #harass(): Promise<void> {
    const kinds = Object.entries(hostilePeers);
    const present: Leave[] = [];
    while (!this.#isOver) {
      await pause(150);
      const [kind, join] = kinds[Math.floor(this.#random() * kinds.length)] ?? [];
      const { targets } = this.#servers[this.#random() < 0.5 ? 0 : 1];
      const wanted = targets.filter(({ protocol }) => (protocol === 'http2') === (kind === 'http2Streams'));
      const target = wanted[Math.floor(this.#random() * wanted.length)];
      if (kind === undefined || join === undefined || target === undefined) continue;
      this.#count(`hostile peer: ${kind}`);
      present.push(join(target, this.#random));
      if (present.length > 100) present.shift()?.();
    }
    for (const leave of present) leave();
  }

  /** Every 10 s what the readers saw is settled and memory is looked at; every minute it is written down. */
  async #measure(readers: Readers): Promise<void> {
    for (let n = 1; !this.#isOver; n++) {
      const due = this.#startedAt + n * 10_000;
      while (!this.#isOver && Date.now() < due) await pause(100);
      if (this.#isOver && Date.now() < due - 1000) return;
      this.#judge(readers, false);
      const taken = await this.#servers[0].taken();
      if (taken) this.#memory.push({ at: n * 10, ...taken });
      if (n % 6 === 0) this.#writeDown(n / 6);
    }
  }

  #writeDown(minute: number): void {
    const newest = this.#memory.at(-1);
    const before = this.#figures.reduce((sum, { published }) => sum + published, 0);
    const figures = {
      minute,
      published: this.#source.published - before,
      ...this.#latencies.take(),
      heapMegabytes: (newest?.heapBytes ?? 0) / 2 ** 20,
      residentMegabytes: (newest?.residentBytes ?? 0) / 2 ** 20,
    };
    this.#figures.push(figures);
    console.error(JSON.stringify({ ...figures, ...this.#violations }));
  }

  #judge(readers: Readers, isLast: boolean): void {
    for (const witness of readers.all)
      for (const violation of witness.settle(isLast)) this.#tell(witness.name, violation);
  }

  #tell(name: string, { kind, text }: Violation): void {
    const told = Object.values(this.#violations).reduce((sum, count) => sum + count, 0);
    this.#violations[kind]++;
    if (told < MOST_SHOWN) console.error(`VIOLATION ${kind}: ${name}: ${text}`);
  }

  /** All that is published has come, to those that may have all of it. */
  async #settled(readers: Readers): Promise<void> {
    this.#fence.index = undefined;
    this.#expiry.at = Infinity;
    for (const proxy of this.#proxies) proxy.calm();
    for (const accessorId of ['short', 'churn']) {
      this.#store.store.upsertToken(tokenOf(accessorId, ['all']));
      await this.#publish(
        { topic: 'Token', type: 'TokenChanged', key: accessorId, namespace: '', payload: {} },
        accessorId,
      );
    }
    const areThere = (): boolean =>
      readers.whole.every(({ isThere }) => isThere) && readers.states.every((state) => state.isHolding(LAST_ITEM));
    for (let i = 0; i < 1200 && !areThere(); i++) await pause(100);
  }

  async #finish(readers: Readers): Promise<Found> {
    this.#judge(readers, true);
    await Promise.all(readers.all.map((witness) => witness.stop()));
    this.#counts['states compared'] = readers.states.reduce((sum, { compared }) => sum + compared, 0);
    await this.#deserted();
    const exits = await Promise.all(this.#servers.map((server) => server.end('close')));
    this.#violations.left += exits.filter((code) => code !== 0).length;
    await this.#broker.close();
    await this.#shared.close();
    await Promise.all([...this.#ways, ...this.#proxies].map((one) => one.close()));
    this.#store.close();
    await this.#log.stop();
    return {
      minutes: this.#figures,
      readers: summary(readers),
      counts: this.#counts,
      growth: growthOf(this.#memory),
      violations: this.#violations,
    };
  }

  /** Peers that said no goodbye are noticed once their streams stall. */
  async #deserted(): Promise<void> {
    for (const server of this.#servers) {
      let taken = await server.taken();
      for (let i = 0; i < 100 && taken && taken.subscriptions + taken.interests > 0; i++) {
        await pause(100);
        taken = await server.taken();
      }
      if (taken) this.#violations.left += taken.subscriptions + taken.interests;
    }
  }

  #count(name: string): void {
    this.#counts[name] = (this.#counts[name] ?? 0) + 1;
  }
}

function fillStore({ store }: StoreServer): void {
  store.upsertPolicy({ name: 'all', rules: { namespace: { '*': { capabilities: ['read'] } } } });
  for (const tenant of tenants)
    store.upsertPolicy({ name: tenant, rules: { namespace: { [tenant]: { capabilities: ['read'] } } } });
  for (const accessorId of ['good', 'churn', 'short']) store.upsertToken(tokenOf(accessorId, ['all']));
  store.upsertToken(tokenOf('scope', tenants));
}

function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => (state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff) / 0x7fff_ffff;
}

function summary(readers: Readers): SoakResult['readers'] {
  const kinds = [...new Set(readers.all.map(({ kind }) => kind))];
  return kinds.map((kind) => {
    const own = readers.all.filter((witness) => witness.kind === kind);
    const sum = (of: 'batches' | 'connections' | 'gaps') => own.reduce((total, one) => total + one[of], 0);
    return { kind, readers: own.length, batches: sum('batches'), connections: sum('connections'), gaps: sum('gaps') };
  });
}
