import type { OperatorReport, StreamFacts } from './operator-report.ts';

/** `12 s`, `3 min`, `2 h`, `5 d`: the largest unit of which there is one at least. */
export function ageText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** `512 B`, `1.5 KiB`, `20 MiB`. */
export function bytesText(bytes: number | undefined): string {
  if (bytes === undefined) return 'unknown';
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let [amount, unit] = [bytes, 0];
  for (; amount >= 1024 && unit < units.length - 1; unit++) amount /= 1024;
  return `${amount < 10 && unit > 0 ? amount.toFixed(1) : Math.round(amount)} ${units[unit]}`;
}

/** The figures above the table, by name. */
export function factsOf({
  stats,
  streams,
  states,
  waitingBytes,
}: OperatorReport): readonly (readonly [string, string])[] {
  const { bufferedBatches, bufferedBytes, oldestIndex, latestIndex, ended, log } = stats;
  const indexes = `indexes ${oldestIndex} to ${latestIndex}`;
  const backlog = `${bufferedBatches.toLocaleString()} batches, ${bytesText(bufferedBytes)}, ${indexes}`;
  return [
    ['Streams', [streams.toLocaleString(), countsText(states)].filter(Boolean).join(': ')],
    ['Bytes that wait', bytesText(waitingBytes)],
    ['Backlog', bufferedBatches === 0 ? 'empty' : backlog],
    ['Log', log ?? 'none'],
    ['Ended', countsText(ended) || 'none'],
  ];
}

/** The cells of a stream's row. */
export function cellsOf(stream: StreamFacts, now: number): readonly string[] {
  const { accessorId, filter, namespaces, reads, by, state, position, lag, since, waitingBytes } = stream;
  return [
    accessorId ?? '–',
    filter,
    namespaces.join(', '),
    by === 'process' ? `${reads}, in process` : reads,
    state,
    String(position),
    lag.toLocaleString(),
    bytesText(waitingBytes),
    ageText(now - since),
  ];
}

/** Says that not all streams are shown; `''` where they are. */
export function restText({ streams, shown }: OperatorReport): string {
  if (shown.length >= streams) return '';
  return `The ${shown.length.toLocaleString()} that are furthest behind are shown, of ${streams.toLocaleString()}.`;
}

/** `12 synced, 1 blocked`: the most first. */
function countsText(counts: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(counts).toSorted(([, one], [, other]) => other - one);
  return sorted.map(([name, count]) => `${count.toLocaleString()} ${name}`).join(', ');
}
