import { streamEvents, type StreamError, type StreamOptions } from 'fenceline/client';
import type { EventBatch } from 'fenceline';
import type { Check, Violation } from './checks.ts';

export interface WitnessOptions {
  readonly name: string;
  /** What is done to it, or what it does: readers of a kind are told together. */
  readonly kind: string;
  /** Connects to where its server is now. */
  readonly fetch: typeof globalThis.fetch;
  readonly stream: StreamOptions;
  readonly checks: readonly Check[];
  /** Codes that its stream may end with; it comes again then. */
  readonly mayEndWith?: readonly string[];
  /** Waited for after each batch: what makes it slow. */
  readonly pace?: () => Promise<void>;
  /** When a batch came, for whoever measures. */
  readonly onBatch?: (batch: EventBatch) => void;
  /** Asked after each batch: whether it leaves now, and comes again from where it was, or from nothing. */
  readonly leaves?: () => 'no' | 'resume' | 'anew';
  /** It has left what it held and starts from nothing. */
  readonly onAnew?: () => void;
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** One good reader, for as long as the soak lasts. */
export class Witness {
  readonly name: string;
  readonly kind: string;
  batches = 0;
  gaps = 0;
  ends = 0;
  connections = 0;
  readonly #options: WitnessOptions;
  readonly #violations: Violation[] = [];
  #isOver = false;
  #stream: ReturnType<typeof streamEvents> | undefined;
  readonly #done: Promise<void>;

  constructor(options: WitnessOptions) {
    this.name = options.name;
    this.kind = options.kind;
    this.#options = options;
    this.#done = this.#read();
  }

  /** What was wrong since the last call. */
  settle(isLast: boolean): readonly Violation[] {
    return [...this.#violations.splice(0), ...this.#options.checks.flatMap((check) => check.settle(isLast))];
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    this.#stream?.close();
    await this.#done;
  }

  async #read(): Promise<void> {
    const { stream: options, mayEndWith = [], leaves, onAnew } = this.#options;
    const fetch: typeof globalThis.fetch = (input, init) => {
      this.connections++;
      return this.#options.fetch(input, init);
    };
    let position: object = {};
    while (!this.#isOver) {
      const stream = streamEvents('http://soak.invalid/', {
        ...options,
        minDelayMs: 20,
        maxDelayMs: 500,
        fetch,
        ...position,
      });
      this.#stream = stream;
      try {
        for await (const batch of stream) {
          this.#see(batch);
          position = stream.position;
          await this.#options.pace?.();
          const left = leaves?.() ?? 'no';
          if (left === 'no') continue;
          if (left === 'anew') {
            position = {};
            onAnew?.();
          }
          break;
        }
      } catch (error) {
        this.ends++;
        const { code = '' } = error as Partial<StreamError>;
        if (!mayEndWith.includes(code)) this.#violations.push({ kind: 'end', text: String(error) });
        await pause(200);
      }
    }
  }

  #see(batch: EventBatch): void {
    this.batches++;
    if (batch.gap) this.gaps++;
    for (const check of this.#options.checks) check.see(batch);
    this.#options.onBatch?.(batch);
  }
}
