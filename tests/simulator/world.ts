import type { Subscription } from 'fenceline';
import { BrokerError } from '../../src/model/errors.ts';
import type { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { Cluster } from './cluster.ts';
import { Model } from './model.ts';
import { Network } from './network.ts';
import { type ReaderWorld, SimReader } from './sim-reader.ts';
import { ALL, type NewSimEvent, type Setting, type Step } from './steps.ts';

/** So often all are waited for before one that does not come to the head is taken to be stuck. */
const MAX_ROUNDS = 20;

/** So often in a row those who poll do so. */
const POLLS = 5;

/** Long enough for a stream that takes nothing to be ended, and a connection that is silent to be given up. */
const QUIET_MS = 13_000;

const beacon: NewSimEvent = { topic: 'Beacon', namespace: '', key: 'b', tag: 'b', level: 0, isGone: false, size: 0 };

/** All of it: processes on a log, the network, a store, readers, and the model of what must come out. */
export class World {
  readonly #clock: VirtualClock;
  readonly #model = new Model();
  readonly #cluster: Cluster;
  readonly #network: Network;
  readonly #readers: SimReader[] = [];
  readonly #surroundings: ReaderWorld;
  readonly #failures: unknown[] = [];
  #hadFaults = false;
  /** All that happened, in a form in which one run can be held against another. */
  readonly trace: string[] = [];

  constructor(clock: VirtualClock, setting: Setting) {
    this.#clock = clock;
    this.#surroundings = this.#makeSurroundings();
    this.#cluster = new Cluster(clock, setting, this.#model, this.#surroundings);
    this.#network = new Network(clock, () => this.#cluster.processes);
  }

  /** @throws what was wrong first */
  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if (this.#failures.length > 0) break;
      this.trace.push(`${this.#clock.now()} ${step.do}`);
      await this.#take(step).catch((error: unknown) => this.#failures.push(error));
    }
    await this.#close();
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  async #take(step: Step): Promise<void> {
    switch (step.do) {
      case 'publish':
        return this.#cluster.publish(step.process, step.events);
      case 'burst':
        for (let i = 0; i < step.count; i++) this.#cluster.publish(step.process, [{ ...step.event, level: i % 2 }]);
        return;
      case 'token': {
        const { expiresInMs, ...token } = step.token ?? { policies: [], level: 0 };
        const expiresAt = expiresInMs === undefined ? undefined : this.#clock.now() + expiresInMs;
        return this.#cluster.change(step.process, `token:${step.who}`, step.token && { ...token, expiresAt }, step.by);
      }
      case 'policy':
        return this.#cluster.change(step.process, `policy:${step.name}`, step.policy, step.by);
      case 'store':
        this.#hadFaults ||= step.mode !== 'healthy';
        return this.#cluster.store.setMode(step.mode);
      case 'release':
        return this.#cluster.store.release(step.count);
      case 'log':
        return this.#cluster.processes[step.process]?.setFault(step.fault);
      case 'trim':
        return this.#cluster.trim(step.keep);
      case 'poison':
        return this.#cluster.poison();
      case 'replace':
        return this.#cluster.replace();
      case 'end':
        return this.#cluster.processes[step.process]?.end(step.isGraceful);
      case 'start':
        return this.#cluster.start(step.process);
      case 'jump':
        return this.#cluster.jump(step.process, step.ms);
      case 'open':
        return void this.#readers.push(new SimReader(this.#surroundings, step.wish, `reader ${this.#readers.length}`));
      case 'read':
        return this.#readers[step.reader]?.read(step.count);
      case 'cut':
        return this.#readers[step.reader]?.cut(step.bytes);
      case 'pause':
      case 'freeze':
      case 'thaw':
      case 'leave':
        return this.#readers[step.reader]?.[step.do]();
      case 'microtasks':
        for (let i = 0; i < step.count; i++) await null;
        return;
      case 'settle':
        return this.#clock.settle();
      case 'advance':
        return this.#clock.advance(step.ms);
      case 'check':
        return this.#check();
    }
  }

  /** Everything recovers, everybody reads, and when all is quiet nobody lacks anything. */
  async #check(): Promise<void> {
    await this.#recover();
    for (let round = 0; round < MAX_ROUNDS; round++) {
      // Not in each: who asks for no beacons hears with a heartbeat how far it has come.
      if (round % 3 === 0) this.#cluster.publish(0, [beacon]);
      await this.#clock.advance(3000);
      // One that polls is told that it has to wait for what comes from the log.
      for (let i = 0; i < POLLS; i++) {
        for (const reader of this.#readers) reader.read(ALL);
        await this.#clock.settle();
      }
      if (this.#failures.length > 0) return;
      if (this.#readers.every((reader) => reader.isDone(this.#cluster.epoch))) break;
    }
    for (const reader of this.#readers) reader.check(this.#cluster.epoch);
    this.#hadFaults = false;
    this.#model.settled();
  }

  async #recover(): Promise<void> {
    for (const wire of [...this.#network.wires]) wire.thaw();
    const recovered = this.#cluster.recover();
    for (const reader of this.#readers) reader.read(ALL);
    await recovered;
    await this.#clock.advance(QUIET_MS);
  }

  async #close(): Promise<void> {
    for (const reader of this.#readers) reader.leave();
    this.#cluster.close();
    await this.#clock.advance(QUIET_MS);
    if (this.#clock.timers > 0) this.#failures.push(new Error(`${this.#clock.timers} timers are left.`));
  }

  #makeSurroundings(): ReaderWorld {
    const [network, hadFaults] = [() => this.#network, () => this.#hadFaults];
    return {
      clock: this.#clock,
      model: this.#model,
      rightsOf: (who) => this.#cluster.store.rightsOf(who),
      subscribe: async (process, options) => {
        const up = this.#cluster.up(process);
        if (up === undefined) throw new BrokerError('closed', 'No process is up.');
        return (await up.broker.subscribe(options as never)) as unknown as Subscription;
      },
      failed: (error) => this.#failures.push(error),
      say: (line) => this.trace.push(line),
      get network() {
        return network();
      },
      get hadFaults() {
        return hadFaults();
      },
    };
  }
}
