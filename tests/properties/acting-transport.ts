import { ndjsonFormat } from '../../src/adapters/ndjson-format.ts';
import type { ByteSink } from '../../src/core/delivery/byte-sink.ts';
import type { Delivery, Subscription } from '../../src/index.ts';
import type { StreamModel, StreamWitness, Wish } from './stream-model.ts';
import { linesIn, type WireLine } from '../conformance/wire-lines.ts';
import { takeLine } from './stream-client.ts';

/** What it does to the broker, one after the other, each in a write of its own. */
const ACTS = ['publish', 'close', 'push back', 'publish', 'open'] as const;

/**
 * A transport that acts upon the broker while it is written to: publishes, closes and opens other streams of the same
 * interest, pushes back.
 */
export class ActingTransport implements ByteSink {
  readonly #model: StreamModel;
  readonly #wish: Wish;
  readonly #lines: WireLine[] = [];
  readonly #others: Subscription[] = [];
  #acts = 0;
  #isPaused: boolean;
  #delivery: Delivery | undefined;

  constructor(model: StreamModel, wish: Wish, isPaused: boolean) {
    this.#model = model;
    this.#wish = wish;
    this.#isPaused = isPaused;
  }

  async open(onOpen: () => void): Promise<void> {
    const { topics, namespaces, index } = this.#wish;
    const epoch = this.#model.epochOf(this.#wish);
    const subscription = await this.#model.broker.subscribe({ topics, namespace: namespaces, index, ...epoch });
    onOpen();
    await this.#openOther();
    this.#delivery = subscription.deliverTo(this, ndjsonFormat, { heartbeatMs: 0 });
    await this.#openOther();
  }

  write(chunk: Uint8Array): boolean {
    this.#lines.push(...linesIn(chunk));
    this.#act();
    return !this.#isPaused;
  }

  end(last?: Uint8Array): void {
    this.#lines.push(...linesIn(last));
  }

  pause(): void {
    this.#isPaused = true;
  }

  read(): void {
    this.#isPaused = false;
    this.#delivery?.drained();
  }

  /** Reads everything that comes, and acts no more. */
  finish(): void {
    this.#acts = ACTS.length;
    this.read();
  }

  /** Once all that was published is known: an index is, for what is published in a write, only later. */
  tell(witness: StreamWitness): void {
    for (const line of this.#lines) takeLine(line, witness);
  }

  #act(): void {
    const act = ACTS[this.#acts++];
    if (act === 'publish') this.#model.publishWithin();
    else if (act === 'close') this.#others.shift()?.close();
    else if (act === 'push back') this.pause();
    else if (act === 'open') void this.#openOther();
  }

  async #openOther(): Promise<void> {
    const { topics, namespaces } = this.#wish;
    const other = await this.#model.broker.subscribe({ topics, namespace: namespaces, index: 'latest' });
    other.deliverTo({ write: () => true, end: () => undefined }, ndjsonFormat, { heartbeatMs: 0 });
    this.#others.push(other);
  }
}
