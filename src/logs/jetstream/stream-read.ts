import { BrokerError } from '../../model/errors.ts';
import type { LogRecord, LogState, ReadOptions } from '../../core/log/event-log.ts';
import { checkRead, SLICE_BYTES } from '../read-request.ts';
import { replacedGap, trimmedGap } from '../record-source.ts';
import type { LogStream } from './log-stream.ts';
import { PullLost } from './record-pull.ts';
import type { RecordPull } from './record-pull.ts';
import { backoffMs, pause, untilAborted } from '../wait.ts';

/** The part of a stream that a read needs. */
export type ReadSource = Pick<LogStream, 'settings' | 'state' | 'pull' | 'holdsAny'>;

/** Before a read gives up: the silence after one lost message may take all the time that there is. */
const FEWEST_TRIES = 3;

/** One `read`: finite, whole, and ended by a `gap` where a record that was asked for is gone. */
export class StreamRead {
  readonly #stream: ReadSource;
  readonly #isDense: boolean;
  readonly #signal: AbortSignal;
  readonly #maxBytes: number;
  #next: number;
  #last: number;
  #epoch: string | undefined;
  #pull: RecordPull | undefined;
  /** How the last consumer was lost. */
  #lost: PullLost | undefined;

  /** @throws TypeError for what is no index or size */
  constructor(
    stream: ReadSource,
    isDense: boolean,
    from: number,
    to: number,
    options: ReadOptions,
    closed: AbortSignal,
  ) {
    const { maxBytes, signal, epoch } = checkRead(from, options);
    this.#epoch = epoch;
    this.#stream = stream;
    this.#isDense = isDense;
    this.#signal = signal ? AbortSignal.any([closed, signal]) : closed;
    this.#maxBytes = Math.min(Math.ceil(maxBytes), SLICE_BYTES);
    this.#next = from;
    this.#last = to;
  }

  async *chunks(): AsyncGenerator<readonly LogRecord[], void, undefined> {
    try {
      await this.#look();
      while (this.#next <= this.#last) {
        for (const chunk of this.#cut(await this.#records())) {
          this.#signal.throwIfAborted();
          yield chunk;
        }
      }
    } finally {
      this.#pull?.close();
    }
  }

  /** @throws BrokerError `gap` when the next record is gone */
  async #look(): Promise<LogState> {
    const state = await this.#until(this.#stream.state());
    this.#epoch ??= state.epoch;
    this.#last = Math.min(this.#last, state.head);
    if (state.epoch !== this.#epoch) throw replacedGap();
    if (this.#next <= this.#last && this.#next < state.first) throw trimmedGap(this.#next, state.first);
    return state;
  }

  async #records(): Promise<readonly LogRecord[]> {
    const until = performance.now() + this.#stream.settings.requestTimeoutMs;
    for (let tries = 1; ; tries++) {
      const records = await this.#pulled();
      if (records.length > 0) return this.#whole(records);
      // Nothing, although there was something: it was trimmed, or the consumer was lost with its server.
      await this.#look();
      if (await this.#isAtEnd()) return [];
      if (tries >= FEWEST_TRIES && performance.now() >= until) throw this.#unavailable();
      await pause(backoffMs(tries), this.#signal);
    }
  }

  #unavailable(): BrokerError {
    const message = `The log did not give the records from ${this.#next} on.`;
    return new BrokerError('log_unavailable', message, { cause: this.#lost });
  }

  /** Where records can be deleted one by one, there may be none up to the last. */
  async #isAtEnd(): Promise<boolean> {
    if (this.#next > this.#last) return true;
    if (this.#isDense || (await this.#until(this.#stream.holdsAny(this.#next, this.#last)))) return false;
    this.#last = this.#next - 1;
    return true;
  }

  async #pulled(): Promise<readonly LogRecord[]> {
    const pull = this.#pull ?? (await this.#open());
    const maxRecords = this.#last - this.#next + 1;
    if (maxRecords < 1) return [];
    try {
      return await this.#until(pull.take({ maxRecords, maxBytes: this.#maxBytes, wait: false }));
    } catch (error) {
      if (!(error instanceof PullLost)) throw error;
      pull.close();
      this.#pull = undefined;
      this.#lost = error;
      return [];
    }
  }

  /** Looks again: only now is it sure that the consumer is one of the stream that was looked at before. */
  async #open(): Promise<RecordPull> {
    this.#pull = await this.#opened();
    await this.#look();
    return this.#pull;
  }

  /** A pull that comes when nobody waits for it any more is closed. */
  async #opened(): Promise<RecordPull> {
    const opening = this.#stream.pull(this.#next);
    return this.#until(opening).catch((error: unknown) => {
      void opening.then(
        (late) => late.close(),
        () => undefined,
      );
      throw error;
    });
  }

  /**
   * In a dense log a hole is trimmed history; in another one it is no news as long as it lies above the first record.
   */
  async #whole(records: readonly LogRecord[]): Promise<readonly LogRecord[]> {
    const expected = this.#next;
    const hole = records.findIndex(({ index }, at) => index !== expected + at);
    if (hole < 0) return records;
    if (hole > 0 && this.#isDense) return records.slice(0, hole);
    const { index = expected } = records[hole] ?? {};
    if (this.#isDense) throw trimmedGap(expected, index);
    await this.#look();
    const wanted = records.filter((record) => record.index <= this.#last);
    // What came beyond it shows that no other one lies before it.
    if (wanted.length < records.length) this.#last = wanted.at(-1)?.index ?? this.#next - 1;
    return wanted;
  }

  *#cut(records: readonly LogRecord[]): Generator<readonly LogRecord[], void, undefined> {
    for (let from = 0; from < records.length;) {
      const chunk = records.slice(from, this.#endOfChunk(records, from));
      from += chunk.length;
      this.#next = (chunk.at(-1)?.index ?? this.#next) + 1;
      yield chunk;
    }
  }

  #endOfChunk(records: readonly LogRecord[], from: number): number {
    let bytes = 0;
    for (let end = from; end < records.length; end++) {
      bytes += records[end]?.body.length ?? 0;
      if (bytes > this.#maxBytes && end > from) return end;
    }
    return records.length;
  }

  #until<T>(work: Promise<T>): Promise<T> {
    return untilAborted(work, this.#signal);
  }
}
