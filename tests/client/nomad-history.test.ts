import { describe, expect, it } from 'vitest';
import {
  type Event,
  type EventBatch,
  type EventStream,
  type Position,
  type StreamOptions,
  streamEvents,
} from '../../src/client/index.ts';
import { nomadKinds, NomadServer } from './nomad-server.ts';
import { seeded } from './random.ts';
import { VirtualClock } from './virtual-clock.ts';

const histories = process.env.NIGHTLY ? 20_000 : 1000;

/** A line that the reader wants, as it was published; `n` counts over all runs. */
interface Published {
  readonly n: number;
  readonly run: number;
  readonly index: number;
}

const numberOf = ({ events: [event] }: EventBatch): number => (event as Event<'Job', { readonly n: number }>).payload.n;

/** A Nomad cluster and one reader that suffer a history, and what came of it. */
class History {
  readonly #random: () => number;
  readonly #clock = new VirtualClock();
  readonly #server: NomadServer;
  readonly #published: Published[] = [];
  /**
   * Everything that was handed over, with the index of which the reader had forgotten what it had: those lines it gets
   * again.
   */
  readonly #handedOver: { readonly batch: EventBatch; readonly forgotten: number | undefined }[] = [];
  #forgotten: number | undefined;
  #stream: EventStream;
  #pending: Promise<EventBatch | undefined> | undefined;
  #run = 0;
  #index = 7;

  constructor(seed: number) {
    this.#random = seeded(seed);
    const kind = nomadKinds[Math.floor(this.#random() * nomadKinds.length)] ?? '2.0';
    this.#server = new NomadServer(kind, this.#clock, this.#random);
    this.#stream = this.#open({});
  }

  /** @returns what the reader got wrong */
  async play(): Promise<readonly unknown[]> {
    const steps = 5 + Math.floor(this.#random() * 20);
    for (let step = 0; step < steps; step++) await this.#step();
    // Something that everybody wants, so that what is missing is told.
    this.#publish(1, 1);
    await this.#read(Infinity);
    this.#stream.close();
    return this.#mistakes();
  }

  async #step(): Promise<void> {
    const dice = this.#random();
    if (dice < 0.4) this.#publish(1 + this.#below(3), 1 + this.#below(4));
    else if (dice < 0.45) for (let i = this.#below(120); i > 0; i--) this.#publish(1, 1 + this.#below(2));
    else if (dice < 0.7) await this.#read(1 + this.#below(6));
    else if (dice < 0.8) this.#server.cut();
    else if (dice < 0.85) this.#server.drop();
    else if (dice < 0.9) this.#server.restart();
    else if (dice < 0.93) this.#loseState();
    else await this.#restartReader();
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  /** Several lines with one index, some of a topic that the reader does not want. */
  #publish(step: number, lines: number): void {
    this.#index += step;
    for (let i = 0; i < lines; i++) {
      const isWanted = i === 0 || this.#random() < 0.7;
      const n = isWanted ? this.#published.length : -1;
      if (isWanted) this.#published.push({ n, run: this.#run, index: this.#index });
      const event = {
        Topic: isWanted ? 'Job' : 'Node',
        Type: 'JobRegistered',
        Key: `job-${n % 5}`,
        Namespace: 'default',
      };
      this.#server.publish(this.#index, [{ ...event, Payload: { n, a: 1, b: 'x'.repeat(Math.max(n, 0) % 50) } }]);
    }
  }

  #loseState(): void {
    this.#server.restart();
    this.#run++;
    this.#index = 7;
  }

  /** From the position that it kept; some keep the index alone. */
  async #restartReader(): Promise<void> {
    this.#stream.close();
    await this.#pending;
    this.#pending = undefined;
    const { position } = this.#stream;
    const { seen, ...place } = position;
    const isWhole = this.#random() < 0.7;
    if (!isWhole && seen) this.#forgotten = Number(position.index);
    this.#stream = this.#open(isWhole ? position : place);
  }

  #open(options: StreamOptions | Position): EventStream {
    const { fetch } = this.#server;
    return streamEvents('http://nomad.test/v1/event/stream', {
      topics: ['Job'],
      fetch,
      clock: this.#clock,
      random: this.#random,
      ...options,
    });
  }

  /** Up to `count` batches, as long as there are any. */
  async #read(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      this.#pending ??= this.#stream.next().then(({ value }) => this.#take(value));
      let isDone = false;
      void this.#pending.then(() => (isDone = true));
      // Longer than the delay before a new connection.
      await this.#clock.advance(1000);
      if (!isDone) return;
      this.#pending = undefined;
    }
  }

  #take(batch: EventBatch | undefined): EventBatch | undefined {
    if (!batch) return undefined;
    this.#handedOver.push({ batch, forgotten: this.#forgotten });
    if (batch.index !== this.#forgotten) this.#forgotten = undefined;
    return batch;
  }

  #mistakes(): readonly unknown[] {
    let last = -1;
    const seen = new Set<number>();
    const mistakes = this.#handedOver.flatMap(({ batch, forgotten }, i) => {
      const n = numberOf(batch);
      // After a restart the newest line of the new run comes first, and what was before it may still come.
      const isBack = n < last && batch.gap?.reason !== 'restarted';
      const isRepeated = batch.index !== forgotten && (seen.has(n) || isBack);
      // Before the first, the backlog may have been anything; so where nobody knows what was there of the index.
      const isBlind = i === 0 || batch.index === forgotten;
      const missing = isBlind ? [] : this.#untold(batch, last, n).filter((line) => !seen.has(line.n));
      last = n;
      seen.add(n);
      const isRight = batch.index === this.#published[n]?.index && !isRepeated && missing.length === 0;
      return isRight ? [] : [{ i, batch, isRepeated, missing }];
    });
    return last === this.#published.length - 1 ? mistakes : [...mistakes, { last }];
  }

  /** Lines between those two of which nothing was said. */
  #untold({ gap }: EventBatch, last: number, n: number): readonly Published[] {
    const missing = this.#published.slice(last + 1, n);
    if (gap === undefined) return missing;
    // A server that lost its state and came further since than the reader had looks as if it had lost its backlog: no
    // range could be right.
    const isOtherRun = this.#published[last]?.run !== this.#published[n]?.run;
    if (gap.reason === 'restarted' || isOtherRun) return [];
    return missing.filter(({ index }) => index < gap.from || index > gap.to);
  }
}

describe('a Nomad server that cuts, drops, forgets and restarts', () => {
  it(
    `hands over exactly what was published, or the gap is told: ${histories} histories`,
    { timeout: 120_000 },
    async () => {
      const start = Number(process.env.SEED ?? 1);
      for (let seed = start; seed < start + histories; seed++) {
        const mistakes = await new History(seed).play();
        expect({ seed, mistakes }).toEqual({ seed, mistakes: [] });
      }
    },
  );
});
