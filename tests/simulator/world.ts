import type { Subscription } from 'fenceline';
import { decodeRecord } from '../../src/core/log/batch-record.ts';
import type { LogRecord } from '../../src/core/log/event-log.ts';
import { BrokerError } from '../../src/model/errors.ts';
import type { Topics } from '../../src/model/topics.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { FenceLog } from '../properties/fence-log.ts';
import { Model, type SimEvent } from './model.ts';
import { Network } from './network.ts';
import { type Payload, Process, TIMEOUT_MS, topics } from './process.ts';
import { RightsStore } from './rights-store.ts';
import { type ReaderWorld, SimReader } from './sim-reader.ts';
import { ALL, type NewSimEvent, type NewsBy, type PolicyValue, type Setting, type Step, type TokenValue } from './steps.ts';

const newsTopic = { token: 'ACLToken', policy: 'ACLPolicy' } as const;

/** So often something is tried again before it is taken to be broken. */
const MAX_ROUNDS = 20;

/** So often in a row those who poll do so. */
const POLLS = 5;

const NOT_OURS = new TextEncoder().encode('{"v":1,"events":[null]}\n');

const beacon: NewSimEvent = { topic: 'Beacon', namespace: '', key: 'b', tag: 'b', level: 0, isGone: false, size: 0 };

/** All of it: processes on a log, the network, a store, readers, and the model of what must come out. */
export class World {
  readonly #clock: VirtualClock;
  readonly #setting: Setting;
  readonly #model = new Model();
  readonly #store: RightsStore;
  readonly #log: FenceLog | undefined;
  readonly #processes: Process[];
  readonly #network: Network;
  readonly #readers: SimReader[] = [];
  readonly #surroundings: ReaderWorld;
  readonly #failures: unknown[] = [];
  readonly #indexes = new Map<number, number>();
  /** Changes that are committed and whose news was refused, or may be lost. */
  #untold: (() => void)[] = [];
  #ids = 0;
  #hadFaults = false;
  /** All that happened, in a form in which one run can be held against another. */
  readonly trace: string[] = [];

  constructor(clock: VirtualClock, setting: Setting) {
    this.#clock = clock;
    this.#setting = setting;
    this.#store = new RightsStore(clock);
    this.#log = setting.hasLog
      ? new FenceLog(clock, setting.maxRecords, (record) => this.#guarded(() => this.#recorded(record)))
      : undefined;
    this.#begin('policy:p0', ['a']);
    this.#begin('policy:p1', ['*']);
    this.#begin('token:t0', { policies: ['p0'], level: 1 });
    this.#begin('token:t1', { policies: ['p0', 'p1'], level: 1 });
    if (this.#log) this.#model.begin(this.#log.epoch);
    this.#processes = Array.from({ length: setting.processes }, () => this.#newProcess());
    this.#network = new Network(clock, () => this.#processes);
    this.#surroundings = this.#makeSurroundings();
  }

  async run(steps: readonly Step[]): Promise<void> {
    try {
      for (const step of steps) {
        this.trace.push(`${this.#clock.now()} ${step.do}`);
        await this.#take(step);
        if (this.#failures.length > 0) throw this.#failures[0];
      }
    } finally {
      await this.#close();
    }
  }

  async #take(step: Step): Promise<void> {
    switch (step.do) {
      case 'publish':
        return this.#publish(step.process, step.events);
      case 'burst':
        for (let i = 0; i < step.count; i++) this.#publish(step.process, [{ ...step.event, level: i % 2 }]);
        return;
      case 'token': {
        const { expiresInMs, ...token } = step.token ?? { policies: [], level: 0 };
        const expiresAt = expiresInMs === undefined ? undefined : this.#clock.now() + expiresInMs;
        return this.#change(step.process, `token:${step.who}`, step.token && { ...token, expiresAt }, step.by);
      }
      case 'policy':
        return this.#change(step.process, `policy:${step.name}`, step.policy, step.by);
      case 'store':
        if (step.mode !== 'healthy') this.#hadFaults = true;
        return this.#store.setMode(step.mode);
      case 'release':
        return this.#store.release(step.count);
      case 'log':
        return this.#processes[step.process]?.setFault(step.fault);
      case 'trim':
        this.#log?.trim(step.keep);
        return this.#noteTrim();
      case 'poison':
        return this.#poison();
      case 'replace':
        return this.#replace();
      case 'end':
        return this.#processes[step.process]?.end(step.isGraceful);
      case 'start':
        return this.#start(step.process);
      case 'jump':
        return this.#jump(step.process, step.ms);
      case 'open':
        return void this.#readers.push(new SimReader(this.#surroundings, step.wish, `reader ${this.#readers.length}`));
      case 'read':
        return this.#readers[step.reader]?.read(step.count);
      case 'pause':
        return this.#readers[step.reader]?.pause();
      case 'cut':
        return this.#readers[step.reader]?.cut(step.bytes);
      case 'freeze':
        return this.#readers[step.reader]?.freeze();
      case 'thaw':
        return this.#readers[step.reader]?.thaw();
      case 'leave':
        return this.#readers[step.reader]?.leave();
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

  #publish(process: number, events: readonly NewSimEvent[]): void {
    const broker = this.#up(process)?.broker;
    if (broker === undefined) return;
    const published = events.map((event): SimEvent => ({ ...event, id: ++this.#ids }));
    const batch = published.map(({ topic, namespace, key, tag, id, level, isGone, size }) => {
      const payload: Payload = { id, level, isGone, pad: 'x'.repeat(size) };
      return { topic, type: 'Changed', key, namespace, filterKeys: [tag], payload };
    });
    if (!this.#log) this.#placed(broker.stats().latestIndex + 1, published, []);
    const acknowledged = broker.publish(batch);
    this.#noteTrim();
    acknowledged.then(
      (index) => this.#guarded(() => this.#checkAcknowledged(index, published)),
      (error: unknown) => this.#refused(error),
    );
  }

  #placed(index: number, events: readonly SimEvent[], refs: readonly string[]): void {
    this.#model.record(index, this.#clock.now(), events, refs);
    for (const { id } of events) this.#indexes.set(id, index);
  }

  /** The log has given a batch its place: with that, and not before, it is published, and its news holds. */
  #recorded(record: LogRecord): void {
    const decoded = decodeRecord(record, topics as unknown as Topics);
    this.#noteTrim();
    if (decoded === undefined) return this.#model.unreadable(record.index);
    const events = decoded.batch.events.flatMap(({ event: { topic, namespace, key, filterKeys, payload } }) => {
      if (topic.startsWith('ACL')) return [];
      const { pad, ...rest } = payload as Payload;
      return [{ topic, namespace, key, tag: filterKeys[0], size: pad.length, ...rest } as SimEvent];
    });
    this.#placed(record.index, events, decoded.refs);
  }

  /** What was acknowledged stands where it was said to. */
  #checkAcknowledged(index: number, events: readonly SimEvent[]): void {
    for (const { id } of events)
      if (this.#indexes.get(id) !== index) throw new Error(`Event ${id} was acknowledged at ${index}, and is not there.`);
  }

  #refused(error: unknown): void {
    if (!BrokerError.is(error)) this.#failures.push(error);
    else if (!this.#log && error.code !== 'closed') this.#failures.push(error);
  }

  /** The change is committed, and told in the same turn; with a log, its news is under way from then on. */
  #change(process: number, ref: string, value: TokenValue | PolicyValue | undefined, by: NewsBy): void {
    this.#model.commit(ref, value, this.#clock.now());
    this.#store.commit(ref as `token:${string}`, value);
    if (by === 'poison') return this.#poison();
    this.#tell(process, ref, by);
  }

  #tell(process: number, ref: string, by: NewsBy): void {
    const again = (): void => void this.#untold.push(() => this.#tell(process, ref, by));
    const broker = this.#up(process)?.broker;
    // Without a log, whoever starts anew asks for everything anew.
    if (broker === undefined) return this.#log && again();
    const [kind, key] = ref.split(':') as ['token' | 'policy', string];
    if (!this.#log && by === 'event') this.#placed(broker.stats().latestIndex + 1, [], [ref]);
    else if (!this.#log) this.#model.tellAtHead(ref);
    const telling =
      by === 'event'
        ? broker.publish({ topic: newsTopic[kind], type: 'x', key, payload: null })
        : broker.aclChanged({ [kind]: key } as { readonly token: string });
    this.#noteTrim();
    telling.then(undefined, (error: unknown) => {
      this.#refused(error);
      if (this.#log) again();
    });
  }

  #poison(): void {
    void this.#log?.handle().append(NOT_OURS);
  }

  #replace(): void {
    if (!this.#log) return;
    this.#log.replace();
    this.#model.begin(this.#log.epoch);
  }

  #start(process: number): void {
    if (this.#processes[process]?.isUp === false) this.#processes[process] = this.#newProcess();
  }

  #jump(process: number, ms: number): void {
    const offsetMs = this.#up(process)?.jump(ms) ?? 0;
    const { min, max } = this.#model.skewMs;
    this.#model.skewMs = { min: Math.min(min, offsetMs), max: Math.max(max, offsetMs) };
  }

  /** Everything recovers, everybody reads, and when all is quiet nobody lacks anything. */
  async #check(): Promise<void> {
    await this.#recover();
    for (let round = 0; round < MAX_ROUNDS; round++) {
      // Not in each: who asks for no beacons hears with a heartbeat how far it has come.
      if (round % 3 === 0) this.#publish(0, [beacon]);
      await this.#clock.advance(3000);
      // One that polls is told that it has to wait for what comes from the log.
      for (let i = 0; i < POLLS; i++) {
        for (const reader of this.#readers) reader.read(ALL);
        await this.#clock.settle();
      }
      if (this.#failures.length > 0) return;
      if (this.#readers.every((reader) => this.#isDone(reader))) break;
    }
    const now = this.#clock.now();
    for (const [i, reader] of this.#readers.entries()) {
      if (!this.#isDone(reader)) throw new Error(`Reader ${i} does not come to the head.`);
      if (!reader.isDenied(now)) reader.checkComplete(now);
    }
    this.#hadFaults = false;
    this.#model.settled();
  }

  #isDone(reader: SimReader): boolean {
    return reader.isDenied(this.#clock.now()) || reader.hasPassed(this.#model.head, this.#epoch);
  }

  get #epoch(): string {
    return this.#log?.epoch ?? this.#processes[0]?.broker.epoch ?? '';
  }

  async #recover(): Promise<void> {
    this.#store.recover();
    this.#network.thawAll();
    for (const [i, process] of this.#processes.entries()) {
      process.recover();
      this.#start(i);
    }
    await this.#clock.advance(TIMEOUT_MS + 1);
    for (const reader of this.#readers) reader.read(ALL);
    for (let round = 0; this.#untold.length > 0; round++) {
      if (round > MAX_ROUNDS) throw new Error('A change could not be told.');
      for (const tell of this.#untold.splice(0)) tell();
      await this.#clock.advance(1000);
    }
    await this.#clock.advance(11_000);
  }

  async #close(): Promise<void> {
    for (const reader of this.#readers) reader.leave();
    for (const process of this.#processes) process.end(false);
    this.#store.recover();
    await this.#clock.advance(TIMEOUT_MS + 6000);
  }

  #newProcess(): Process {
    const process = new Process(this.#clock, this.#store, this.#setting, this.#log?.handle(), (what) =>
      this.trace.push(`a process: ${what}`),
    );
    if (!this.#log) this.#model.begin(process.broker.epoch);
    return process;
  }

  /** The named one, or the first that is up. */
  #up(process: number): Process | undefined {
    const named = this.#processes[process];
    return named?.isUp ? named : this.#processes.find(({ isUp }) => isUp);
  }

  #noteTrim(): void {
    if (this.#log) this.#model.trimmed(this.#log.first);
    else this.#model.trimmed(this.#processes[0]?.broker.stats().oldestIndex ?? 0);
  }

  /** Before anything happens. */
  #begin(ref: `token:${string}` | `policy:${string}`, value: TokenValue | PolicyValue): void {
    this.#model.commit(ref, value, 0);
    this.#store.commit(ref, value);
  }

  #makeSurroundings(): ReaderWorld {
    const hadFaults = (): boolean => this.#hadFaults;
    return {
      clock: this.#clock,
      network: this.#network,
      model: this.#model,
      rightsOf: (who) => this.#store.rightsOf(who),
      subscribe: async (process, options) => {
        const up = this.#up(process % this.#setting.processes);
        if (up === undefined) throw new BrokerError('closed', 'No process is up.');
        return (await up.broker.subscribe(options as never)) as unknown as Subscription;
      },
      failed: (error) => this.#failures.push(error),
      say: (line) => this.trace.push(line),
      get hadFaults() {
        return hadFaults();
      },
    };
  }

  #guarded(look: () => void): void {
    try {
      look();
    } catch (error) {
      this.#failures.push(error);
    }
  }
}
