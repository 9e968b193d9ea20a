import type { Clock } from '../../model/clock.ts';
import { withDeadline } from '../../model/deadline.ts';
import { BrokerError, closed } from '../../model/errors.ts';
import { describe } from '../../model/describe.ts';
import type {
  AppendOptions,
  AppendResult,
  EventLog,
  LogCapabilities,
  LogRecord,
  LogState,
  LogTail,
  PinnedRecord,
  ReadOptions,
  TailHandler,
} from './event-log.ts';

/**
 * How long a log may take for a call that reads, in ms. Appends are not bounded here: the log's own limit says what
 * became of them.
 */
const ANSWER_MS = 30_000;

/**
 * Any log, with the guarantees that the broker rests on checked in one place: nothing after close, an answer in time
 * and one that can be read, indexes that increase, each record once, and trimmed history found. No engine reports that
 * by itself: a start below the oldest record silently moves up, so a first record that is not the one asked for is a
 * gap, and so is a hole in the middle where the log says that it is dense.
 */
export class CheckedLog {
  readonly #log: EventLog;
  readonly #clock: Clock;
  #isClosed = false;

  constructor(log: EventLog, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  get capabilities(): LogCapabilities {
    return this.#log.capabilities;
  }

  async state(): Promise<LogState> {
    this.#requireOpen();
    const state = await this.#answer(() => this.#log.state());
    this.#requireOpen();
    return checkState(state);
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
    const result = await guard(() => this.#log.append(body, options));
    if (isIndex(result?.index, 1)) return result;
    throw nonsense('append must answer with the index of the record', result);
  }

  /**
   * @throws BrokerError `gap` where a record that must be there is not; `log_unavailable` when a chunk takes too long
   */
  async *read(from: number, to: number, options: ReadOptions): AsyncGenerator<readonly LogRecord[], void, undefined> {
    this.#requireOpen();
    let next = from;
    for await (const records of this.#chunks(this.#log.read(from, to, options))) {
      for (const { index } of records) next = this.#follow(next, index) + 1;
      yield records;
    }
    if (next <= to && this.capabilities.dense) this.#follow(next, 0);
  }

  /**
   * @throws BrokerError `not_supported` for a log that keeps no pinned records; `log_unavailable` when a chunk takes
   * too long
   */
  async *pinned(options: ReadOptions): AsyncGenerator<readonly PinnedRecord[], void, undefined> {
    this.#requireOpen();
    const chunks = this.#log.pinned?.(options);
    if (chunks === undefined) throw new BrokerError('not_supported', 'This log keeps no pinned records.');
    let last = 0;
    for await (const records of this.#chunks(chunks)) {
      for (const { index, pins } of records) {
        if (!Array.isArray(pins)) throw nonsense('what is pinned must name its keys', pins);
        if (index <= last) throw new BrokerError('log_unavailable', `Record ${index} came after record ${last}.`);
        last = index;
      }
      yield records;
    }
  }

  /** Records that were told already are left out; a hole in a dense log is told as a gap before what follows it. */
  async tail(after: number, handler: TailHandler): Promise<LogTail> {
    this.#requireOpen();
    let position = after;
    const checked: TailHandler = {
      status: (status, cause) => handler.status(status, cause),
      records: async (records) => {
        const fresh = checkRecords(records).filter(({ index }) => index > position);
        const [first] = fresh;
        if (first === undefined) return;
        if (this.capabilities.dense && first.index > position + 1) handler.gap({ after: position, first: first.index });
        position = fresh.at(-1)?.index ?? position;
        await handler.records(fresh);
      },
      gap: (gap) => {
        position = Math.max(position, gap.first - 1);
        handler.gap(gap);
      },
      reset: (state) => {
        position = checkState(state).head;
        handler.reset(state);
      },
    };
    const tail = await this.#answer(() => this.#log.tail(after, checked));
    if (typeof tail?.stop === 'function') return { stop: () => this.#answer(() => tail.stop()) };
    throw nonsense('tail must answer with what can be stopped', tail);
  }

  /** Refuses everything from now on. The log itself is closed by who opened it. */
  close(): void {
    this.#isClosed = true;
  }

  #answer<R>(call: () => Promise<R>): Promise<R> {
    return withDeadline(
      this.#clock,
      ANSWER_MS,
      guard(call),
      () => new BrokerError('log_unavailable', `The event log did not answer within ${ANSWER_MS} ms.`),
    );
  }

  /** Each in time, and no nonsense. */
  async *#chunks<R extends LogRecord>(
    from: AsyncIterable<readonly R[]>,
  ): AsyncGenerator<readonly R[], void, undefined> {
    const chunks = from[Symbol.asyncIterator]();
    try {
      for (;;) {
        const result = await this.#answer(() => chunks.next());
        this.#requireOpen();
        if (result.done === true) return;
        yield checkRecords(result.value);
      }
    } finally {
      // A log that does not end its own reading keeps nobody.
      void chunks.return?.().then(undefined, () => undefined);
    }
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

function checkState(state: LogState): LogState {
  const { epoch, first, head } = (state ?? {}) as Partial<LogState>;
  const isName = typeof epoch === 'string' && epoch !== '';
  if (isName && isIndex(head, 0) && isIndex(first, 1) && (first as number) <= (head as number) + 1) return state;
  throw nonsense('state must answer with epoch, first and head', state);
}

function checkRecords<R extends LogRecord>(records: readonly R[]): readonly R[] {
  const given: unknown = records;
  if (Array.isArray(given) && given.every(isRecord)) return records;
  throw nonsense('records must have an index and a body of bytes', records);
}

function isRecord(value: unknown): boolean {
  const { index, body } = (value ?? {}) as Partial<LogRecord>;
  return isIndex(index, 1) && body instanceof Uint8Array;
}

const isIndex = (value: unknown, least: number): boolean => Number.isSafeInteger(value) && (value as number) >= least;

const nonsense = (rule: string, value: unknown): BrokerError =>
  new BrokerError('log_unavailable', `The event log answered nonsense: ${rule}; got ${describe(value)}.`);
