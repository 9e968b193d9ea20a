import type { LogRecord, ReadOptions } from '../../core/log/event-log.ts';
import { checkRead, type ReadRequest } from '../read-request.ts';
import { replacedGap, trimmedGap, turnOfLoop } from '../record-source.ts';
import { untilAborted } from '../wait.ts';
import type { LogStore } from './log-store.ts';
import { chainAfter, partsOf } from './record-format.ts';
import type { RecordGroup } from './record-format.ts';

/**
 * `EventLog.read`: each answer of the server, of `maxBytes` or one group, is asked for anew, and follows on the one
 * before, of the same epoch, or the read ends with a `gap`.
 * @throws TypeError for what is no index or size
 */
export function readStore(store: LogStore, from: number, to: number, options: ReadOptions, closed: AbortSignal) {
  const { signal, ...request } = checkRead(from, options);
  return readChunks(store, from, to, { ...request, signal: signal ? AbortSignal.any([closed, signal]) : closed });
}

async function* readChunks(
  store: LogStore,
  from: number,
  to: number,
  { maxBytes, signal, epoch }: ReadRequest & { readonly signal: AbortSignal },
): AsyncGenerator<readonly LogRecord[], void, undefined> {
  let begun = epoch;
  let check: string | undefined;
  for (let next = from; ;) {
    signal.throwIfAborted();
    const { state, groups } = await untilAborted(store.read(next, to, maxBytes), signal);
    if (state.epoch !== (begun ??= state.epoch)) throw replacedGap();
    if (next > Math.min(to, state.head)) return;
    if (next < state.first) throw trimmedGap(next, state.first);
    const chain = chainAfter(next - 1, check, groups);
    if (chain.records.length === 0) throw missing(next, state.head, groups);
    ({ check } = chain);
    next = chain.last + 1;
    for (const part of partsOf(upTo(to, chain.records), maxBytes)) {
      signal.throwIfAborted();
      yield part;
      await turnOfLoop();
    }
  }
}

/** The last group may hold more than was asked for. */
function upTo(to: number, records: readonly LogRecord[]): readonly LogRecord[] {
  const last = records.at(-1);
  return last && last.index > to ? records.filter(({ index }) => index <= to) : records;
}

/** Records were deleted one by one, or there are others in the place of what was read. */
function missing(next: number, head: number, [group]: readonly RecordGroup[]): Error {
  if (group && group.first <= next) return replacedGap();
  return trimmedGap(next, group?.first ?? head + 1);
}
