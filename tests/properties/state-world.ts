import { type Acl, EventBroker, type EventBatch, type Subscription } from 'fenceline';
import { MemoryEventLog } from '../../src/logs/memory.ts';
import { fetchHandler } from '../../src/adapters/fetch.ts';
import { FaultyEventLog } from '../../src/testing/faulty-event-log.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { BrokerError } from '../../src/model/errors.ts';
import type { History, Published, Step } from './state-history.ts';
import { differenceOf, Mirror, nameOf, StateModel, type ModelRequest, type ModelRights } from './state-model.ts';
import type { OpenReader, Place, ReaderHost, StateReader } from './state-readers.ts';
import { aclOf, newEventOf, topics } from './state-topics.ts';

interface Reader {
  readonly request: ModelRequest;
  readonly mirror: Mirror;
  reader: StateReader;
}

/** Drives a broker through a history, and compares what each reader holds with the model. */
export class StateWorld {
  readonly #clock = new VirtualClock();
  readonly #open: OpenReader;
  readonly #history: History;
  readonly #log: MemoryEventLog | undefined;
  /** The handle of the process that runs. */
  #faulty: FaultyEventLog | undefined;
  readonly #host: ReaderHost;
  #broker: EventBroker;
  #model = new StateModel({ namespaces: ['a'], level: 1 });
  readonly #readers: Reader[] = [];
  #answersAtOnce = true;
  readonly #held: (() => void)[] = [];
  /** What never changed and was never forgotten: its readers are told of no gap. */
  #isCalm = true;

  constructor(history: History, open: OpenReader, hasLog: boolean) {
    this.#open = open;
    this.#history = history;
    this.#log = hasLog ? new MemoryEventLog({ clock: this.#clock }) : undefined;
    this.#broker = this.#start();
    this.#host = {
      clock: this.#clock,
      subscribe: (request, place) => this.#subscribe(request, place),
      fetch: async (input, init) => {
        const pin = (): { readonly scope: 'allowed' } => ({ scope: 'allowed' });
        return fetchHandler({ broker: this.#broker, acl: this.#acl, pin })(new Request(input, init));
      },
    };
  }

  async run(): Promise<void> {
    for (const step of this.#history.steps) await this.#take(step);
    for (let round = 0; round < 60; round++) {
      for (const { reader } of this.#readers) reader.read(1000);
      await this.#settle();
    }
    for (const reader of this.#readers) {
      if (isDenied(reader.reader)) continue;
      if (!reader.mirror.isCurrent) throw new Error('It was never told that its state is current.');
      this.#compare(reader, this.#model.head, 'at the end');
      this.#compareSnapshot(reader.request);
      if (this.#isCalm && reader.request.topics.join() === 'Job' && reader.mirror.gaps.length > 0)
        throw new Error(`It was told of ${JSON.stringify(reader.mirror.gaps)}, and nothing was forgotten.`);
    }
    await this.#broker.close();
  }

  #start(): EventBroker {
    const { maxBatches, maxRemovals } = this.#history;
    const log = this.#log && new FaultyEventLog(this.#log.share(), { clock: this.#clock });
    this.#faulty = log;
    return new EventBroker({
      topics,
      buffer: { maxBatches, maxRemovals },
      clock: this.#clock,
      ...(log && { log }),
    }) as unknown as EventBroker;
  }

  async #take(step: Step): Promise<void> {
    switch (step.do) {
      case 'publish':
        return this.#publish(step.events);
      case 'burst':
        for (let i = 0; i < step.count; i++) await this.#publish([{ ...step.event, level: i % 3 }]);
        return;
      case 'change':
        return this.#change(step.rights);
      case 'settle':
        return this.#settle();
      case 'open':
        return this.#openReader(step.request, step.isBlocked);
      case 'read':
        return this.#readers[step.reader]?.reader.read(step.count);
      case 'block':
        return this.#readers[step.reader]?.reader.block();
      case 'resume':
        return this.#resume(this.#readers[step.reader]);
      case 'cut':
        return this.#readers[step.reader]?.reader.cut(step.bytes);
      case 'restart':
        return this.#log && this.#restart();
      case 'trim':
        return this.#log && this.#trim(step.keep);
      case 'outage':
        return this.#log && this.#outage(step.keep);
    }
  }

  async #publish(events: readonly Published[]): Promise<void> {
    const index = this.#model.head + 1;
    for (const event of events) this.#model.events.push({ ...event, index });
    const published = this.#broker.publish(events.map(newEventOf));
    if (this.#log) await this.#clock.settle();
    await published;
  }

  async #change(rights: ModelRights): Promise<void> {
    this.#isCalm = false;
    this.#model.change(rights);
    const changed = this.#broker.aclChanged({ token: 'alice' });
    if (!this.#log) return changed;
    // In a log the news has an index of its own.
    const index = this.#model.head + 1;
    this.#model.events.push({ index, topic: 'Log', namespace: '-', key: '', level: 0, tag: '', isGone: false });
    await this.#clock.settle();
    await changed;
  }

  async #settle(): Promise<void> {
    this.#answersAtOnce = true;
    for (const answer of this.#held.splice(0)) answer();
    // A while, so that whoever was cut off is back.
    await this.#clock.advance(1000);
    this.#answersAtOnce = false;
  }

  async #openReader(request: ModelRequest, isBlocked: boolean): Promise<void> {
    await this.#settle();
    const reader = { request, mirror: new Mirror() } as Reader;
    if (await this.#connect(reader, { index: 0 }, isBlocked)) this.#readers.push(reader);
  }

  /** @returns whether it is allowed anything */
  async #connect(reader: Reader, place: Place, isBlocked: boolean): Promise<boolean> {
    const { request, mirror } = reader;
    const take = (batch: EventBatch): void => this.#handed(reader, batch);
    const opened = await this.#open(this.#host, { request, place, isBlocked, take });
    if (opened === undefined) return false;
    mirror.isCurrent = false;
    reader.reader = opened;
    return true;
  }

  /** Another connection, with what the reader holds. */
  async #resume(reader: Reader | undefined): Promise<void> {
    if (reader === undefined || isDenied(reader.reader)) return;
    await this.#settle();
    if (isDenied(reader.reader)) return;
    const { place } = reader.reader;
    reader.reader.close();
    await this.#reopen(reader, place);
  }

  async #reopen(reader: Reader, place: Place): Promise<void> {
    if (await this.#connect(reader, place, false)) return;
    this.#readers.splice(this.#readers.indexOf(reader), 1);
  }

  async #subscribe(request: ModelRequest, place: Place): Promise<Subscription | undefined> {
    this.#answersAtOnce = true;
    const asked = { topics: request.topics, namespace: request.namespaces, scope: 'allowed', state: true } as const;
    const opening = this.#broker.subscribe({ ...asked, ...place, acl: this.#acl }).catch((error: unknown) => {
      if (!BrokerError.is(error) || error.code !== 'permission_denied') throw error;
      return undefined;
    });
    await this.#clock.settle();
    const subscription = await opening;
    this.#answersAtOnce = false;
    return subscription;
  }

  readonly #acl = (): Acl | Promise<Acl> => this.#later(() => aclOf(this.#model.rights));

  async #restart(): Promise<void> {
    await this.#settle();
    const places = this.#readers.map(({ reader }) => reader.place);
    await this.#broker.close();
    this.#broker = this.#start();
    for (const [i, reader] of [...this.#readers].entries())
      if (!reader.reader.isLasting && !isDenied(reader.reader)) await this.#reopen(reader, places[i] as Place);
  }

  async #outage(keep: number): Promise<void> {
    await this.#settle();
    await this.#faulty?.goDown();
    await this.#trim(keep);
    await this.#faulty?.goUp();
    await this.#settle();
  }

  async #trim(keep: number): Promise<void> {
    this.#isCalm = false;
    await this.#log?.trim({ maxRecords: keep });
  }

  /** What a function of the host's answers, when the history lets it. */
  #later<R>(answer: () => R): R | Promise<R> {
    if (this.#answersAtOnce) return answer();
    return new Promise((resolve) => void this.#held.push(() => resolve(answer())));
  }

  #handed(reader: Reader, batch: EventBatch): void {
    if (this.#history.maxRemovals < 1000) this.#isCalm = false;
    for (const event of batch.events)
      if (!this.#model.mayHaveSeen(batch.index, nameOf(event), reader.request))
        throw new Error(`${nameOf(event)} at ${batch.index} is above the fence.`);
    reader.mirror.take(batch);
    if (batch.current) this.#compare(reader, batch.index, 'where it is current');
  }

  #compare({ mirror, request }: Reader, index: number, when: string): void {
    const wrong = this.#model.rightsAt(index).map((rights) => {
      return differenceOf(mirror.held, this.#model.stateAt(index, request, rights));
    });
    if (wrong.every((text) => text !== '')) throw new Error(`${when}, ${index}: ${wrong.at(-1)}`);
  }

  #compareSnapshot(request: ModelRequest): void {
    const { topics: asked, namespaces } = request;
    const acl = aclOf(this.#model.rights);
    let held: Map<string, number>;
    try {
      const { events } = this.#broker.state({ topics: asked as [], namespace: namespaces, scope: 'allowed', acl });
      held = new Map(events.map((event) => [nameOf(event), event.index]));
    } catch (error) {
      if (!BrokerError.is(error) || error.code !== 'permission_denied') throw error;
      return;
    }
    const wrong = differenceOf(held, this.#model.stateAt(this.#model.head, request, this.#model.rights));
    if (wrong !== '') throw new Error(`broker.state: ${wrong}`);
  }
}

const isDenied = ({ error }: StateReader): boolean => {
  if (error !== undefined && !['permission_denied', 'acl_revoked', 'closed'].includes(error)) throw new Error(error);
  return error !== undefined && error !== 'closed';
};
