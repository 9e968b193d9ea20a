import { decodeRecord } from '../../src/core/log/batch-record.ts';
import type { LogRecord } from '../../src/core/log/event-log.ts';
import { BrokerError } from '../../src/model/errors.ts';
import type { Topics } from '../../src/model/topics.ts';
import type { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { FenceLog } from '../properties/fence-log.ts';
import type { Model, SimEvent } from './model.ts';
import { type Payload, Process, TIMEOUT_MS, topics } from './process.ts';
import { RightsStore } from './rights-store.ts';
import type { NewSimEvent, NewsBy, PolicyValue, Setting, TokenValue } from './steps.ts';

const newsTopic = { token: 'ACLToken', policy: 'ACLPolicy' } as const;

/** So often a change is told again before that is taken to be broken. */
const MAX_ROUNDS = 20;

/** Like a record, but none that a broker would have written. */
const NOT_OURS = new TextEncoder().encode('{"v":1,"events":[null]}\n');

/** Who hears of what goes on in a cluster. */
export interface ClusterHost {
  failed(error: unknown): void;
  say(line: string): void;
}

/** The processes, their log and their store. What is published and what rights change, it tells the model. */
export class Cluster {
  readonly store: RightsStore;
  readonly processes: Process[];
  readonly #clock: VirtualClock;
  readonly #setting: Setting;
  readonly #model: Model;
  readonly #host: ClusterHost;
  readonly #log: FenceLog | undefined;
  /** Where each event stands. */
  readonly #indexes = new Map<number, number>();
  /** Changes that are committed and whose news was refused, or may be lost. */
  #untold: (() => void)[] = [];
  #ids = 0;

  constructor(clock: VirtualClock, setting: Setting, model: Model, host: ClusterHost) {
    this.#clock = clock;
    this.#setting = setting;
    this.#model = model;
    this.#host = host;
    this.store = new RightsStore(clock);
    this.#commit('policy:p0', ['a']);
    this.#commit('policy:p1', ['*']);
    this.#commit('token:t0', { policies: ['p0'], level: 1 });
    this.#commit('token:t1', { policies: ['p0', 'p1'], level: 1 });
    if (setting.hasLog) {
      this.#log = new FenceLog(clock, setting.maxRecords, (record) => this.#recorded(record));
      model.begin(this.#log.epoch);
    }
    this.processes = Array.from({ length: setting.processes }, () => this.#newProcess());
  }

  /** Of the run of indexes that counts now. */
  get epoch(): string {
    return this.#log?.epoch ?? this.processes[0]?.broker.epoch ?? '';
  }

  /** The named one, or the first that is up. */
  up(process: number): Process | undefined {
    const named = this.processes[process % this.#setting.processes];
    return named?.isUp ? named : this.processes.find(({ isUp }) => isUp);
  }

  publish(process: number, events: readonly NewSimEvent[]): void {
    const broker = this.up(process)?.broker;
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
      (index) => this.#checkAcknowledged(index, published),
      (error: unknown) => this.#refused(error),
    );
  }

  /** The change is committed, and told in the same turn; with a log, its news is under way from then on. */
  change(process: number, ref: string, value: TokenValue | PolicyValue | undefined, by: NewsBy): void {
    this.#commit(ref, value);
    if (by === 'poison') this.poison();
    else this.#tell(process, ref, by);
  }

  trim(keep: number): void {
    this.#log?.trim(keep);
    this.#noteTrim();
  }

  /** A record that nobody can read comes into the log. */
  poison(): void {
    void this.#log?.handle().append(NOT_OURS);
  }

  /** Another log stands in the place of this one. */
  replace(): void {
    if (!this.#log) return;
    this.#log.replace();
    this.#model.begin(this.#log.epoch);
  }

  start(process: number): void {
    if (this.processes[process]?.isUp === false) this.processes[process] = this.#newProcess();
  }

  jump(process: number, ms: number): void {
    const offsetMs = this.up(process)?.jump(ms) ?? 0;
    const { min, max } = this.#model.skewMs;
    this.#model.skewMs = { min: Math.min(min, offsetMs), max: Math.max(max, offsetMs) };
  }

  /** Every fault ends, every process is up, and all changes are told. */
  async recover(): Promise<void> {
    this.store.setMode('healthy');
    for (const [i, process] of this.processes.entries()) {
      process.recover();
      this.start(i);
    }
    await this.#clock.advance(TIMEOUT_MS + 1);
    for (let round = 0; this.#untold.length > 0; round++) {
      if (round > MAX_ROUNDS) throw new Error('A change could not be told.');
      for (const tell of this.#untold.splice(0)) tell();
      await this.#clock.advance(1000);
    }
  }

  close(): void {
    this.store.setMode('healthy');
    for (const process of this.processes) process.end(false);
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
    const lost = events.filter(({ id }) => this.#indexes.get(id) !== index).map(({ id }) => id);
    if (lost.length > 0) this.#host.failed(new Error(`${lost.join()} was acknowledged at ${index}, and is not there.`));
  }

  /** Without a log nothing can be refused but by a broker that is closed. */
  #refused(error: unknown): void {
    if (!BrokerError.is(error) || (!this.#log && error.code !== 'closed')) this.#host.failed(error);
  }

  #commit(ref: string, value: TokenValue | PolicyValue | undefined): void {
    this.#model.commit(ref, value, this.#clock.now());
    this.store.commit(ref as `token:${string}`, value);
  }

  #tell(process: number, ref: string, by: NewsBy): void {
    const again = (): void => void this.#untold.push(() => this.#tell(process, ref, by));
    const broker = this.up(process)?.broker;
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

  #newProcess(): Process {
    const tell = (what: string): void => this.#host.say(`a process: ${what}`);
    const process = new Process(this.#clock, this.store, this.#setting, this.#log?.handle(), tell);
    if (!this.#log) this.#model.begin(process.broker.epoch);
    return process;
  }

  #noteTrim(): void {
    this.#model.trimmed(this.#log?.first ?? this.processes[0]?.broker.stats().oldestIndex ?? 0);
  }
}
