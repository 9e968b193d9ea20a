import fc from 'fast-check';
import { describe, it } from 'vitest';
import { Acl } from '../../src/acl/acl.ts';
import { ndjsonFormat } from '../../src/adapters/ndjson.ts';
import { EventBroker } from '../../src/core/broker/event-broker.ts';
import type { Subscription } from '../../src/core/delivery/subscription.ts';
import { BrokerError } from '../../src/model/errors.ts';
import { defineTopics } from '../../src/model/topics.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { histories, patienceMs } from './histories.ts';
import { leavesAnything, ScopeModel, type ModelEvent, type ModelRequest, type ModelRights } from './scope-model.ts';

const topics = defineTopics({
  Order: {
    requires: { namespace: 'read-orders' },
    visible: ({ level }: { level: number }, { key }) => Number(key) <= level,
  },
  Audit: { requires: { namespace: 'read-audit' } },
  News: { requires: 'anyone' },
});

type Step =
  | { readonly do: 'publish'; readonly events: readonly Omit<ModelEvent, 'index'>[] }
  /** Told at once, or by an event in the stream; several before `settle` are answered for together. */
  | { readonly do: 'change'; readonly rights: ModelRights }
  | { readonly do: 'settle' }
  | { readonly do: 'open'; readonly request: ModelRequest; readonly isBlocked: boolean }
  | { readonly do: 'read'; readonly reader: number; readonly count: number }
  | { readonly do: 'block'; readonly reader: number };

interface History {
  readonly maxBatches: number;
  readonly steps: readonly Step[];
}

const names = ['a1', 'a2', 'b'];
const kinds = ['Order', 'Audit', 'News'] as const;
const everything: ModelRights = {
  rules: { '*': ['read-orders', 'read-audit'], a1: ['read-orders', 'read-audit'] },
  level: 2,
  home: ['*'],
};
const capabilities = ['read-orders', 'read-audit', 'deny'];
const rights: fc.Arbitrary<ModelRights> = fc.record({
  rules: fc.dictionary(fc.constantFrom(...names, 'a*', '*'), fc.subarray(capabilities), { maxKeys: 3 }),
  level: fc.nat(2),
  home: fc.oneof(fc.constant(['*']), fc.subarray(names, { minLength: 1 })),
});
const event = fc.record({
  topic: fc.constantFrom(...kinds),
  namespace: fc.constantFrom(...names),
  level: fc.nat(2),
});
const request = fc.record({
  topics: fc.oneof(fc.constant(['*']), fc.subarray([...kinds], { minLength: 1 })),
  namespaces: fc.oneof(
    { weight: 2, arbitrary: fc.constant(['*']) },
    fc.subarray(names, { minLength: 1 }),
    // Pinned.
    { weight: 2, arbitrary: fc.constant(undefined) },
  ),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('publish'), events: fc.array(event, { minLength: 1, maxLength: 4 }) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('change'), rights }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('settle') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('open'), request, isBlocked: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('read'), reader: fc.nat(3), count: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('block'), reader: fc.nat(3) }) },
) as fc.Arbitrary<Step>;
const history: fc.Arbitrary<History> = fc.record({
  maxBatches: fc.constantFrom(2, 100, 100),
  steps: fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }),
});

/** What a reader was handed, as `index topic namespace level`. */
interface Reader {
  readonly model: ScopeModel;
  readonly got: string[];
  readonly gaps: { readonly from: number; readonly to: number }[];
  readonly subscription: Subscription;
  error?: string;
  read(count: number): void;
  block(): void;
}

type Open = (subscription: Subscription, model: ScopeModel, isBlocked: boolean) => Reader;

const openPolling: Open = (subscription, model) => {
  const reader: Reader = { model, got: [], gaps: [], subscription, read, block: () => undefined };
  function read(count: number): void {
    try {
      for (let i = 0; i < count; i++) {
        const batch = subscription.poll();
        if (batch === undefined) return;
        if (batch.gap) reader.gaps.push(batch.gap);
        for (const { topic, namespace, key } of batch.events)
          reader.got.push(`${batch.index} ${topic} ${namespace} ${key}`);
      }
    } catch (error) {
      if (!BrokerError.is(error)) throw error;
      reader.error = error.code;
    }
  }
  return reader;
};

interface Line {
  readonly Index?: number;
  readonly Events?: readonly { readonly Topic: string; readonly Namespace: string; readonly Key: string }[];
  readonly Gap?: { readonly From: number; readonly To: number };
  readonly Error?: { readonly Code: string };
}

const openSink: Open = (subscription, model, isBlocked) => {
  const take = (bytes: Uint8Array): void => {
    for (const text of Buffer.from(bytes).toString().split('\n').filter(Boolean)) {
      const { Index, Events = [], Gap, Error: error } = JSON.parse(text) as Line;
      for (const { Topic, Namespace, Key } of Events) reader.got.push(`${Index} ${Topic} ${Namespace} ${Key}`);
      if (Gap) reader.gaps.push({ from: Gap.From, to: Gap.To });
      if (error) reader.error = error.Code;
    }
  };
  const write = (bytes: Uint8Array): boolean => (take(bytes), !isBlocked);
  const reader: Reader = {
    model,
    got: [],
    gaps: [],
    subscription,
    read: () => {
      isBlocked = false;
      subscription.delivery?.drained();
    },
    block: () => void (isBlocked = true),
  };
  subscription.deliverTo({ write, end: (last) => last && take(last) }, ndjsonFormat, { heartbeatMs: 0 });
  return reader;
};

class ScopeWorld {
  readonly #clock = new VirtualClock();
  readonly #broker;
  readonly #open: Open;
  readonly #readers: Reader[] = [];
  readonly #events: ModelEvent[] = [];
  #rights: ModelRights = { rules: { a1: ['read-orders'], '*': ['read-audit'] }, level: 1, home: ['a1', 'b'] };
  #answersAtOnce = true;
  readonly #held: (() => void)[] = [];
  /** Where the first change lies that is not answered for yet. */
  #changedAt: number | undefined;

  constructor({ maxBatches }: History, open: Open) {
    this.#open = open;
    this.#broker = new EventBroker({ topics, buffer: { maxBatches }, clock: this.#clock });
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) await this.#take(step);
    await this.#settle();
    // What is missing is told with the next batch: here is one for everybody.
    await this.#take({ do: 'change', rights: everything });
    await this.#settle();
    this.#publish(names.flatMap((namespace) => kinds.map((topic) => ({ topic, namespace, level: 0 }))));
    for (let round = 0; round < 40; round++) {
      for (const reader of this.#readers) reader.read(Infinity);
      await this.#clock.settle();
    }
    for (const reader of this.#readers) this.#check(reader);
    await this.#broker.close();
  }

  async #take(step: Step): Promise<void> {
    switch (step.do) {
      case 'publish':
        return this.#publish(step.events);
      case 'change':
        this.#rights = step.rights;
        this.#changedAt ??= this.#broker.stats().latestIndex;
        return void this.#broker.aclChanged({ token: 'alice' });
      case 'settle':
        return this.#settle();
      case 'open':
        return this.#openReader(step.request, step.isBlocked);
      case 'read':
        return this.#readers[step.reader]?.read(step.count);
      case 'block':
        return this.#readers[step.reader]?.block();
    }
  }

  #publish(events: readonly Omit<ModelEvent, 'index'>[]): void {
    const index = this.#broker.stats().latestIndex + 1;
    for (const event of events) this.#events.push({ ...event, index });
    void this.#broker.publish(
      events.map(({ topic, namespace, level }) => ({
        topic: topic as 'Order',
        type: 'x',
        key: String(level),
        namespace,
        payload: null,
      })),
    );
  }

  /** The host's function answers now, and nobody waits any more. */
  async #settle(): Promise<void> {
    this.#answersAtOnce = true;
    for (const answer of this.#held.splice(0)) answer();
    await this.#clock.settle();
    this.#answersAtOnce = false;
    if (this.#changedAt !== undefined)
      for (const { model } of this.#readers) model.confirm(this.#changedAt, this.#rights);
    this.#changedAt = undefined;
  }

  async #openReader(request: ModelRequest, isBlocked: boolean): Promise<void> {
    await this.#settle();
    const { namespaces } = request;
    const pin = { pin: () => this.#later(() => ({ namespace: this.#rights.home })) };
    const within = namespaces === undefined ? pin : { namespace: namespaces };
    const asked = { topics: request.topics as ['*'], scope: 'allowed', ...within } as const;
    this.#answersAtOnce = true;
    const opening = this.#broker.subscribe({ ...asked, acl: () => this.#later(() => aclOf(this.#rights)) });
    const subscription = await opening.catch(denied);
    this.#answersAtOnce = false;
    if ((subscription === undefined) === leavesAnything(request, this.#rights)) throw new Error('Opened, or not.');
    const model = new ScopeModel(request, this.#rights);
    if (subscription) this.#readers.push(this.#open(subscription as unknown as Subscription, model, isBlocked));
  }

  /** What a function of the host's answers, when the history lets it. */
  #later<R>(answer: () => R): R | Promise<R> {
    if (this.#answersAtOnce) return answer();
    return new Promise((resolve) => void this.#held.push(() => resolve(answer())));
  }

  #check({ model, got, gaps, error }: Reader): void {
    const isTold = (index: number): boolean => gaps.some(({ from, to }) => from <= index && index <= to);
    const expected = this.#events.filter((event) => model.expects(event));
    const texts = expected.map(textOf);
    if (got.join('\n') !== texts.filter((text) => got.includes(text)).join('\n'))
      throw new Error(`Got\n${got.join('\n')}\nwhere what is allowed is\n${texts.join('\n')}`);
    // A stream that ends does not tell what else was missing.
    const oldest = Number(got[0]?.split(' ')[0] ?? Infinity);
    for (const event of expected) {
      if (got.includes(textOf(event)) || isTold(event.index) || event.index < oldest || model.end !== Infinity)
        continue;
      throw new Error(`Lost ${textOf(event)}; got\n${got.join('\n')}`);
    }
    if ((error === undefined) !== (model.end === Infinity)) throw new Error(`Ended with ${error}, after ${model.end}.`);
  }
}

const textOf = ({ index, topic, namespace, level }: ModelEvent): string => `${index} ${topic} ${namespace} ${level}`;

function aclOf({ rules, level }: ModelRights): Acl {
  const namespace = Object.fromEntries(Object.entries(rules).map(([name, list]) => [name, { capabilities: list }]));
  return Acl.fromRules([{ namespace }], { accessorId: 'alice', claims: { level } });
}

function denied(error: unknown): undefined {
  if (!BrokerError.is(error) || error.code !== 'permission_denied') throw error;
}

const holdsFor = (open: Open): Promise<void> =>
  fc.assert(
    fc.asyncProperty(history, (one) => new ScopeWorld(one, open).run(one.steps)),
    histories(300),
  );

describe('who asks for what is allowed gets just that, from each change on', () => {
  it('in process, by poll()', () => holdsFor(openPolling), patienceMs);
  it('through a transport that blocks', () => holdsFor(openSink), patienceMs);
});
