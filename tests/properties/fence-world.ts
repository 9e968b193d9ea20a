import type { Acl } from '../../src/acl/acl.ts';
import type { AclRef } from '../../src/model/acl-ref.ts';
import { BrokerError } from '../../src/model/errors.ts';
import type { SubscribePin } from '../../src/core/broker/pin.ts';
import type { LogRecord } from '../../src/core/log/event-log.ts';
import { decodeRecord } from '../../src/core/log/batch-record.ts';
import type { Topics } from '../../src/model/topics.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { AclTruth, type TruthEvent, type TruthObject } from './acl-truth.ts';
import { FenceLog } from './fence-log.ts';
import { FenceProcess, levelOfKey, TIMEOUT_MS, topics } from './fence-process.ts';
import type { FenceHistory, LogFault, Step, SubscribeStep } from './fence-steps.ts';
import { FenceStore } from './fence-store.ts';
import { FenceWitness } from './fence-witness.ts';

/** More often than appends can have faults in wait for them. */
const MAX_TRIES = 100;

const aclTopics = { token: 'ACLToken', policy: 'ACLPolicy', role: 'ACLRole' } as const;
type AclStep = Extract<Step, { do: 'policy' | 'role' | 'token' | 'home' }>;

/** A subscription as a history drives it. What it is handed goes to its witness at once. */
export interface DrivenReader {
  /** Reads up to so many batches, or lets the transport take more. */
  read(count: number): void | Promise<void>;
  /** The transport takes no more. */
  block(): void;
  close(): void;
}

export type OpenReader = (world: FenceWorld, step: SubscribeStep, witness: FenceWitness) => Promise<DrivenReader>;

/** Runs one history against a real broker, or several on one log, and the naive truth beside it. */
export class FenceWorld {
  readonly clock = new VirtualClock();
  readonly truth: AclTruth;
  readonly events: TruthEvent[] = [];
  readonly witnesses: FenceWitness[] = [];
  readonly #store = new FenceStore(this.clock);
  readonly #log: FenceLog | undefined;
  readonly #processes: readonly FenceProcess[];
  readonly #openReader: OpenReader;
  readonly #readers: DrivenReader[] = [];
  readonly #openings: Promise<void>[] = [];
  /** Changes that are committed and whose news was refused, or may be lost: they have to be told again. */
  #untold: (() => void)[] = [];
  readonly #failures: unknown[] = [];

  constructor({ maxBatches, log }: Pick<FenceHistory, 'maxBatches' | 'log'>, openReader: OpenReader) {
    const { processes = 1, maxRecords = 0, publishWhenDown } = log ?? {};
    this.#openReader = openReader;
    this.truth = new AclTruth(processes);
    this.#log = log && new FenceLog(this.clock, maxRecords, (record) => this.#recorded(record));
    this.#processes = Array.from({ length: processes }, (_, process) => {
      const onHeard = (index: number): void => this.truth.hear(process, index);
      const [store, handle] = [this.#store.source, this.#log?.handle()];
      return new FenceProcess({ store, clock: this.clock, maxBatches, log: handle, publishWhenDown, onHeard });
    });
    this.#begin('policy:p0', { default: 'read' });
    this.#begin('policy:p1', { '*': 'read' });
    this.#begin('role:r0', ['p1']);
    this.#begin('role:home-of-t0', ['default']);
    this.#begin('role:home-of-t1', ['*']);
    this.#begin('token:t0', { policies: ['p0'], roles: [], expiresAt: undefined, level: 0 });
    this.#begin('token:t1', { policies: [], roles: ['r0'], expiresAt: undefined, level: 1 });
  }

  /** Asks the store for somebody's rights as they are, as a host's own function would. */
  rightsOf(who: string, perAccessor: boolean): Promise<Acl> {
    return this.#store.rightsOf(who, perAccessor);
  }

  /** What the host decides: the scope, which no query can ask for, and the namespace where it is not asked for. */
  async pinOf({ who, scope, isPinned }: SubscribeStep): Promise<SubscribePin<never>> {
    return isPinned ? { scope, namespace: await this.#store.homeOf(who) } : { scope };
  }

  /** A history counts on two; where there is one, it is everybody's. */
  process(number: number): FenceProcess {
    return this.#processes[number % this.#processes.length] as FenceProcess;
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) await this.#take({ ...step, process: step.process % this.#processes.length });
    await this.#finish();
  }

  /** Everything recovers and everybody reads: then who is open must have all. */
  async #finish(): Promise<void> {
    await this.#recover();
    // Gaps are told with the next batch: here it is.
    await this.#publishLast();
    for (let round = 0; round < 6; round++) {
      for (const reader of this.#readers) await reader.read(Infinity);
      await this.clock.settle();
    }
    this.#checkHeads();
    if (this.#failures.length > 0) throw this.#failures[0];
    for (const witness of this.witnesses) witness.checkComplete(this.clock.now(), this.#store.hadFaults);
    for (const reader of this.#readers) reader.close();
    await Promise.all(this.#processes.map(({ broker }) => broker.close()));
  }

  async #recover(): Promise<void> {
    this.#store.recover();
    for (const process of this.#processes) await process.recover();
    await this.clock.advance(TIMEOUT_MS + 1);
    for (let tries = 0; this.#untold.length > 0; tries++) await this.#tellAgain(tries);
    await Promise.all(this.#openings);
  }

  async #tellAgain(tries: number): Promise<void> {
    if (tries > MAX_TRIES) throw new Error('A change could not be told.');
    for (const tell of this.#untold.splice(0)) tell();
    await this.clock.settle();
  }

  async #publishLast(): Promise<void> {
    const head = (): number => this.#log?.head ?? this.process(0).head;
    const before = head();
    for (let tries = 0; head() === before; tries++) {
      if (tries > MAX_TRIES) throw new Error('The last batch could not be published.');
      this.#publish(0, ['default', 'prod'], 0);
      await this.clock.settle();
    }
  }

  /** Whoever serves has heard of everything. */
  #checkHeads(): void {
    const { head } = this.#log ?? this.process(0);
    for (const witness of this.witnesses) {
      if (witness.process.head !== head)
        throw new Error(`A process is at ${witness.process.head}, its log at ${head}.`);
    }
  }

  async #take(step: Step): Promise<void> {
    switch (step.do) {
      case 'publish':
        return this.#publish(step.process, step.namespaces, step.level);
      case 'policy':
        return this.#change(step, `policy:${step.name}`, step.grant);
      case 'home':
        return this.#change(step, `role:home-of-${step.who}`, [step.namespace]);
      case 'role':
        return this.#change(step, 'role:r0', step.policies);
      case 'token': {
        const { expiresInMs, ...token } = step.token ?? { policies: [], roles: [], expiresInMs: undefined, level: 0 };
        const expiresAt = expiresInMs === undefined ? undefined : this.clock.now() + expiresInMs;
        return this.#change(step, `token:${step.who}`, step.token && { ...token, expiresAt });
      }
      case 'log':
        return this.#setLogFault(step.process, step.fault);
      case 'trim':
        return this.#log?.trim(step.maxRecords);
      case 'store':
        return this.#store.setMode(step.mode);
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

  #publish(process: number, namespaces: readonly string[], level: number): void {
    const { broker, head } = this.process(process);
    if (this.#log === undefined) this.#published(head + 1, namespaces, level);
    const publishing = broker.publish(
      namespaces.map((namespace) => ({ topic: 'Job', type: 'x', key: `k${level}`, namespace, payload: null }) as const),
    );
    publishing.then((index) => this.#checkAcknowledged(index, namespaces)).catch((error) => this.#refused(error));
  }

  #published(index: number, namespaces: readonly string[], level: number): void {
    for (const namespace of namespaces) this.events.push({ index, namespace, level, publishedAt: this.clock.now() });
  }

  /** The log has given a batch its place: with that, and not before, its news holds. */
  #recorded(record: LogRecord): void {
    const decoded = decodeRecord(record, topics as unknown as Topics);
    if (decoded === undefined) throw new Error('The log holds what this version did not write.');
    const { batch, refs } = decoded;
    const jobs = batch.events.map(({ event }) => event).filter(({ topic }) => topic === 'Job');
    this.#published(
      batch.index,
      jobs.map(({ namespace }) => namespace),
      levelOfKey(jobs[0]?.key ?? 'k0'),
    );
    this.truth.tell(refs, batch.index);
  }

  #checkAcknowledged(index: number, namespaces: readonly string[]): void {
    const found = this.events.filter((event) => event.index === index).map(({ namespace }) => namespace);
    if (found.join() !== namespaces.join()) throw new Error(`What was acknowledged at ${index} is not there.`);
  }

  #refused(error: unknown): void {
    if (this.#log === undefined || !BrokerError.is(error)) this.#failures.push(error);
  }

  /** Before anything happens. */
  #begin(ref: AclRef, value: TruthObject): void {
    this.truth.change(ref, value, 0);
    this.#store.commit(ref, value);
  }

  /** The change is committed, and told in the same turn; with a log, its news is under way from then on. */
  #change({ process, isEvent }: AclStep, ref: AclRef, value: TruthObject): void {
    if (this.#log) this.truth.commit(ref, value);
    else this.truth.change(ref, value, this.process(0).head);
    this.#store.commit(ref, value);
    this.#tell(process, ref, isEvent);
  }

  #setLogFault(process: number, fault: LogFault): void {
    this.process(process).setFault(fault);
    if (fault === 'up') for (const tell of this.#untold.splice(0)) tell();
  }

  #tell(process: number, ref: AclRef, isEvent: boolean): void {
    const { broker } = this.process(process);
    const [object, key] = ref.split(':') as [keyof typeof aclTopics, string];
    const telling = isEvent
      ? broker.publish({ topic: aclTopics[object], type: 'x', key, payload: null })
      : broker.aclChanged({ [object]: key } as never);
    telling.catch((error: unknown) => {
      this.#refused(error);
      this.#untold.push(() => this.#tell(process, ref, isEvent));
    });
  }

  #subscribe(step: SubscribeStep): void {
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
