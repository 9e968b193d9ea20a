import type { LogRecord, ReadOptions } from '../../core/log/event-log.ts';
import { checkRead } from '../read-request.ts';
import { replacedGap, trimmedGap, turnOfLoop } from '../record-source.ts';
import { untilAborted } from '../wait.ts';
import type { LogStore } from './log-store.ts';
import { chainAfter, recordOf } from './record-format.ts';

/**
 * `EventLog.read`: each chunk is asked for anew, so nothing is held between two of them, and each follows on the one
 * before, of the same epoch, or the read ends with a `gap`.
 * @throws TypeError for what is no index or size
 */
export function readStore(store: LogStore, from: number, to: number, options: ReadOptions, closed: AbortSignal) {
  const { maxBytes, signal } = checkRead(from, options);
  return readChunks(store, from, to, maxBytes, signal ? AbortSignal.any([closed, signal]) : closed);
}

async function* readChunks(
  store: LogStore,
  from: number,
  to: number,
  maxBytes: number,
  signal: AbortSignal,
): AsyncGenerator<readonly LogRecord[], void, undefined> {
  let begun: string | undefined;
  let check: string | undefined;
  for (let next = from; ;) {
    signal.throwIfAborted();
    const { state, entries } = await untilAborted(store.read(next, to, maxBytes), signal);
    if (state.epoch !== (begun ??= state.epoch)) throw replacedGap();
    if (next > Math.min(to, state.head)) return;
    if (next < state.first) throw trimmedGap(next, state.first);
    const chain = chainAfter(next - 1, check, entries);
    const last = chain.at(-1);
    if (last === undefined) throw missing(next, state.head, entries);
    check = last.check;
    next = last.record.index + 1;
    yield chain.map(({ record }) => record);
    await turnOfLoop();
  }
}

/** Records were deleted one by one, or there is another one in the place of what was read. */
function missing(next: number, head: number, [entry]: readonly unknown[]): Error {
  const found = entry === undefined ? undefined : recordOf(entry)?.record.index;
  return found === next ? replacedGap() : trimmedGap(next, found ?? head + 1);
}
