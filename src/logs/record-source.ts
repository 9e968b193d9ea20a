import { BrokerError } from '../model/errors.ts';
import type { LogRecord, LogState, PinnedRecord, ReadOptions } from '../core/log/event-log.ts';
import { checkRead, checkReadOptions, type ReadRequest } from './read-request.ts';

/** So many records at most are taken at once, however small: what bounds the time that the event loop is held. */
export const SLICE_RECORDS = 4096;

/** A log whose records can be had at once, from memory or from a mapped file. */
export interface RecordSource {
  /** @throws BrokerError `closed`, `log_unavailable` */
  state(): LogState;
  /**
   * The records from `from` on: at least one, at most to `to`, {@link SLICE_RECORDS} and about `maxBytes`.
   * `from` … `to` must lie within what {@link state} told in the same turn.
   * @throws BrokerError `gap` when `from` was trimmed meanwhile
   */
  slice(from: number, to: number, maxBytes: number): readonly LogRecord[];
  /**
   * The records that are pinned between `after` and `before`, both exclusive, in order: {@link SLICE_RECORDS} and about
   * `maxBytes` at most, none only where there are none. `before` is at most the `first` that {@link state} told.
   */
  pinnedSlice(after: number, before: number, maxBytes: number): readonly PinnedRecord[];
}

/**
 * A log that a tail follows: where it stands is known at once, its records may have to be waited for.
 */
export interface TailSource {
  /**
   * `rewrites` counts how often the log was seen to have lost its end and to have grown again past what tails were
   * told: they go on from its oldest record then.
   * @throws BrokerError `closed`, `log_unavailable`
   */
  state(): LogState & { readonly rewrites?: number };
  /**
   * As {@link RecordSource.slice}.
   * @throws BrokerError `gap`, also where the log is another one by now: then {@link state} knows of it
   */
  slice(from: number, to: number, maxBytes: number): readonly LogRecord[] | Promise<readonly LogRecord[]>;
}

/** A log whose records are read: what {@link RecordSource} has at once may have to be waited for. */
export interface HistorySource {
  state(): LogState | Promise<LogState>;
  slice(from: number, to: number, maxBytes: number): readonly LogRecord[] | Promise<readonly LogRecord[]>;
}

/** A log whose pinned records are read: what {@link RecordSource} has at once may have to be waited for. */
export interface PinnedSource {
  state(): LogState | Promise<LogState>;
  pinnedSlice(
    after: number,
    before: number,
    maxBytes: number,
  ): readonly PinnedRecord[] | Promise<readonly PinnedRecord[]>;
}

/** The refusal to read what is no longer there. */
export function trimmedGap(from: number, first: number): BrokerError {
  return new BrokerError('gap', `The records from ${from} to ${first - 1} were trimmed; the oldest one is ${first}.`);
}

/** The refusal to read on in a log that is another one by now. */
export function replacedGap(): BrokerError {
  return new BrokerError('gap', 'The log was replaced by another one while it was read.');
}

/** The rest of the event loop's turn goes first. */
export const turnOfLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * `EventLog.read` over a source. Each chunk is taken anew, so nothing is held between two of them; the event loop has a
 * turn between them, however fast the reader asks.
 */
export function readRecords(source: HistorySource, from: number, to: number, options: ReadOptions = {}) {
  return readChunks(source, from, to, checkRead(from, options));
}

async function* readChunks(
  source: HistorySource,
  from: number,
  to: number,
  { maxBytes, signal, epoch: asked }: ReadRequest,
): AsyncGenerator<readonly LogRecord[], void, undefined> {
  const begun = asked ?? (await source.state()).epoch;
  for (let next = from; ;) {
    signal?.throwIfAborted();
    const { epoch, first, head } = await source.state();
    if (epoch !== begun) throw replacedGap();
    const last = Math.min(to, head);
    if (next > last) return;
    if (next < first) throw trimmedGap(next, first);
    const chunk = await source.slice(next, last, maxBytes);
    next += chunk.length;
    yield chunk;
    await turnOfLoop();
  }
}

/** `EventLog.pinned` over a source, in chunks as {@link readRecords} gives them. */
export function readPinned(source: PinnedSource, options: ReadOptions = {}) {
  return pinnedChunks(source, checkReadOptions(options, 'pinned'));
}

async function* pinnedChunks(
  source: PinnedSource,
  { maxBytes, signal, epoch: asked }: ReadRequest,
): AsyncGenerator<readonly PinnedRecord[], void, undefined> {
  // Up to where the log began at the start: one that is trimmed over and over would keep its reader for ever.
  const { epoch: begun, first } = await source.state();
  const epoch = asked ?? begun;
  for (let after = 0; ;) {
    signal?.throwIfAborted();
    if ((await source.state()).epoch !== epoch) throw replacedGap();
    const chunk = await source.pinnedSlice(after, first, maxBytes);
    const last = chunk.at(-1);
    if (last === undefined) return;
    after = last.index;
    yield chunk;
    await turnOfLoop();
  }
}
