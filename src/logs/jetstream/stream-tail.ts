import { BrokerError } from '../../model/errors.ts';
import type { LogRecord, LogState, TailHandler } from '../../core/log/event-log.ts';
import { FollowedTail } from '../followed-tail.ts';
import { SLICE_BYTES } from '../read-request.ts';
import type { LogStream } from './log-stream.ts';
import { PullLost } from './record-pull.ts';
import type { RecordPull } from './record-pull.ts';
import { backoffMs, pause } from '../wait.ts';

/** How long the connection's own word is waited for, before the stream is asked without it. */
const RECONNECT_PATIENCE_MS = 30_000;

/** The part of a stream that a tail needs. */
export type TailSource = Pick<LogStream, 'connectionWatch' | 'state' | 'pull' | 'timeOf'>;

/**
 * A tail over a stream: a position, and a consumer that is made anew from there whenever it is lost. One loop makes
 * every call of the handler, so calls cannot overlap; what waits is bounded by one pull ({@link RecordPull}).
 *
 * A lost consumer alone is not told: `down` is told when the stream does not answer either, or the next consumer is
 * lost too. A handler that throws ends its tail, which says so once (`down`, with what was thrown).
 */
export class StreamTail extends FollowedTail {
  readonly #stream: TailSource;
  readonly #onEnd: (tail: StreamTail) => void;
  #epoch: string;
  #position: number;
  /**
   * The record at the position, as it was told: another one there means that the stream lost its end and went on
   * without it.
   */
  #seen: LogRecord | undefined;
  #pull: RecordPull | undefined;

  /** @param after not above the head of `state` */
  constructor(
    stream: TailSource,
    after: number,
    epoch: string,
    handler: TailHandler,
    onEnd: (tail: StreamTail) => void,
  ) {
    super(handler);
    this.#stream = stream;
    this.#position = after;
    this.#epoch = epoch;
    this.#onEnd = onEnd;
  }

  /** From a look at the stream until its consumer is lost. */
  protected override async follow(): Promise<void> {
    await this.#settle(await this.#stream.state());
    if (!this.isOpen) return;
    const pull = await this.#stream.pull(this.#position + 1);
    try {
      // Asked again: a consumer of a stream that was replaced before this answer is gone, one of a later stream is not
      // ours.
      const { epoch, head } = await this.#stream.state();
      if (epoch === this.#epoch && head >= this.#position) await this.#consume(pull, head);
    } finally {
      pull.close();
    }
  }

  /** Brings the position to where the stream can go on from. */
  async #settle(state: LogState): Promise<void> {
    const isOther = state.epoch !== this.#epoch || state.head < this.#position;
    if (isOther || (await this.#isRewritten(state))) {
      // One that was cut and has grown again holds records that nobody was told of: it goes on from its oldest.
      const head = isOther ? state.head : state.first - 1;
      this.#seen = undefined;
      this.#epoch = state.epoch;
      this.#position = head;
      this.handler.reset({ ...state, head });
    }
    if (this.#position + 1 < state.first) this.#skipTo(state.first);
  }

  async #isRewritten({ first }: LogState): Promise<boolean> {
    if (!this.#seen || this.#seen.index < first) return false;
    const time = await this.#stream.timeOf(this.#seen.index);
    return time !== undefined && time !== this.#seen.time;
  }

  async #consume(pull: RecordPull, head: number): Promise<void> {
    this.#pull = pull;
    if (!this.isOpen) return;
    this.handler.status(this.#position < head ? 'catching-up' : 'up');
    while (this.isOpen) {
      const records = await pull.take({ maxBytes: SLICE_BYTES, wait: true });
      this.failures = 0;
      // Nothing came although something was to come: it was trimmed. The next look tells.
      if (records.length === 0 && this.handler.lastStatus !== 'up') return;
      await this.#deliver(records);
      if (this.#position >= head || pull.isDrained) this.handler.status('up');
    }
  }

  /** Records may have been trimmed between any two. */
  async #deliver(records: readonly LogRecord[]): Promise<void> {
    for (let from = 0; from < records.length && this.isOpen;) {
      const { index = 0 } = records[from] ?? {};
      if (index > this.#position + 1) this.#skipTo(index);
      const hole = records.findIndex((record, at) => at > from && record.index !== index + at - from);
      const batch = hole < 0 ? records.slice(from) : records.slice(from, hole);
      this.#seen = batch.at(-1);
      this.#position = this.#seen?.index ?? this.#position;
      await this.handler.records(batch);
      from += batch.length;
    }
  }

  #skipTo(first: number): void {
    const after = this.#position;
    this.#position = first - 1;
    this.#seen = undefined;
    this.handler.gap(after, first);
  }

  protected override async recover(error: unknown): Promise<void> {
    const { connectionWatch } = this.#stream;
    if (error instanceof PullLost && this.failures === 1 && !connectionWatch.isDown) return;
    this.handler.status('down', error instanceof Error ? error : BrokerError.from(error));
    if (connectionWatch.isDown) return connectionWatch.untilBack(RECONNECT_PATIENCE_MS, this.stopped);
    await pause(backoffMs(this.failures + 1), this.stopped);
  }

  protected override onEnd(): void {
    this.#pull?.close();
    this.#onEnd(this);
  }
}
