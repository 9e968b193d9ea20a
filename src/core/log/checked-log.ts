import { BrokerError, closed } from '../../model/errors.ts';
import type {
  AppendOptions,
  AppendResult,
  EventLog,
  LogCapabilities,
  LogRecord,
  LogState,
  LogTail,
  ReadOptions,
  TailHandler,
} from './event-log.ts';

/**
 * Any log, with the guarantees that the broker rests on checked in one place: nothing after close, indexes that
 * increase, each record once, and trimmed history found. No engine reports that by itself: a start below the oldest
 * record silently moves up, so a first record that is not the one asked for is a gap, and so is a hole in the middle
 * where the log says that it is dense.
 */
export class CheckedLog {
  readonly #log: EventLog;
  #isClosed = false;

  constructor(log: EventLog) {
    this.#log = log;
  }

  get capabilities(): LogCapabilities {
    return this.#log.capabilities;
  }

  async state(): Promise<LogState> {
    this.#requireOpen();
    const state = await guard(() => this.#log.state());
    this.#requireOpen();
    return state;
  }

  /** @throws BrokerError `bad_request` naming the limit, `log_unavailable`, `closed`, and what the log throws */
  async append(body: Uint8Array, options: AppendOptions): Promise<AppendResult> {
    this.#requireOpen();
    const { maxRecordBytes } = this.capabilities;
    if (body.length > maxRecordBytes) {
      throw new BrokerError(
        'bad_request',
        `A batch may take at most ${maxRecordBytes} bytes in this log, not ${body.length}; nothing was published.`,
      );
    }
    return guard(() => this.#log.append(body, options));
  }

  /** @throws BrokerError `gap` where a record that must be there is not */
  async *read(from: number, to: number, options: ReadOptions): AsyncGenerator<readonly LogRecord[], void, undefined> {
    this.#requireOpen();
    let next = from;
    for await (const records of this.#log.read(from, to, options)) {
      this.#requireOpen();
      for (const { index } of records) next = this.#follow(next, index) + 1;
      yield records;
    }
    if (next <= to && this.capabilities.dense) this.#follow(next, 0);
  }

  /** Records that were told already are left out; a hole in a dense log is told as a gap before what follows it. */
  async tail(after: number, handler: TailHandler): Promise<LogTail> {
    this.#requireOpen();
    let position = after;
    return guard(() =>
      this.#log.tail(after, {
        status: (status, cause) => handler.status(status, cause),
        records: async (records) => {
          const fresh = records.filter(({ index }) => index > position);
          const [first] = fresh;
          if (first === undefined) return;
          if (this.capabilities.dense && first.index > position + 1)
            handler.gap({ after: position, first: first.index });
          position = fresh.at(-1)?.index ?? position;
          await handler.records(fresh);
        },
        gap: (gap) => {
          position = Math.max(position, gap.first - 1);
          handler.gap(gap);
        },
        reset: (state) => {
          position = state.head;
          handler.reset(state);
        },
      }),
    );
  }

  /** Refuses everything from now on. The log itself is closed by who opened it. */
  close(): void {
    this.#isClosed = true;
  }

  #follow(expected: number, index: number): number {
    if (index === expected || (index > expected && !this.capabilities.dense)) return index;
    if (index > expected) throw new BrokerError('gap', `Records ${expected} to ${index - 1} were trimmed.`);
    throw new BrokerError('log_unavailable', `Record ${expected} is not there.`);
  }

  #requireOpen(): void {
    if (this.#isClosed) throw closed();
  }
}

/** What a log throws that is no BrokerError is an outage. */
async function guard<R>(call: () => Promise<R>): Promise<R> {
  try {
    return await call();
  } catch (error) {
    if (BrokerError.is(error)) throw error;
    throw new BrokerError('log_unavailable', 'The event log failed.', { cause: error });
  }
}
