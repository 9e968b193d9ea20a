import type { RetainedState } from '../backlog/retained-state.ts';
import type { EncodedBatch } from '../batch/encoded-batch.ts';
import { BrokerError } from '../../model/errors.ts';
import type { CheckedLog } from './checked-log.ts';
import type { LogRecord, PinnedRecord } from './event-log.ts';

/** How far the reading of a state has come: the record that was read last, and the last that is to be read. */
export interface LoadProgress {
  readonly index: number;
  readonly head: number;
}

export interface StateLoadingParts {
  readonly log: CheckedLog;
  /** Makes an empty one to read into. */
  readonly blank: () => RetainedState;
  /** Undefined for a record that cannot be read. */
  readonly decode: (record: LogRecord) => EncodedBatch | undefined;
  readonly progress: (progress: LoadProgress) => void;
}

/** How much is read at a time, in bytes. */
const CHUNK_BYTES = 1024 * 1024;

/**
 * Reads what a log holds of the state, up to `head`: the records that it keeps since a key is pinned to them, then all
 * that it still has. Where records before those are gone and the log pins none, the state says so to who asks for it.
 * @throws BrokerError `log_unavailable`, `closed`
 */
export async function readState(parts: StateLoadingParts, head: number): Promise<RetainedState> {
  for (;;) {
    try {
      return await readOnce(parts, head);
    } catch (error) {
      // The log was trimmed between two steps. It has then more that is pinned, or less that it holds.
      if (!BrokerError.is(error) || error.code !== 'gap') throw error;
    }
  }
}

async function readOnce({ log, blank, decode, progress }: StateLoadingParts, head: number): Promise<RetainedState> {
  const { first } = await log.state();
  const state = blank();
  const { pins = false } = log.capabilities;
  if (first > 1) state.startAfter(Math.min(first - 1, head), pins);
  const take = (records: readonly (LogRecord | PinnedRecord)[]): void => {
    for (const record of records) {
      if (record.index > head) return;
      const batch = decode(record);
      if (batch === undefined) state.appendUnreadable(record.index);
      else state.append(batch, 'pins' in record ? new Set(record.pins) : undefined);
    }
    progress({ index: Math.min(records.at(-1)?.index ?? 0, head), head });
  };
  if (pins)
    for await (const records of log.pinned({ maxBytes: CHUNK_BYTES }))
      take(records.filter(({ index }) => index < first));
  if (first <= head) for await (const records of log.read(first, head, { maxBytes: CHUNK_BYTES })) take(records);
  return state;
}
