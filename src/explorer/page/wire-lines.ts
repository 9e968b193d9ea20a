import type { Event, Gap } from '../../client/index.ts';
import type { Entry } from './entry.ts';

/**
 * Entries as the lines of a stream: whatever reads the server's ndjson reads these too. Events that came one after the
 * other with one index are one line, as they were. Troubles of the connection are no part of a stream.
 * @param entries the oldest first
 */
export function wireLines(entries: Iterable<Entry>): string {
  const lines: object[] = [];
  let batch: { readonly Index: number; readonly Events: object[] } | undefined;
  for (const entry of entries) {
    if (entry.kind === 'gap') lines.push(wireGap(entry.gap));
    if (entry.kind !== 'event') {
      batch = undefined;
      continue;
    }
    const { event } = entry;
    if (batch?.Index !== event.index) lines.push((batch = { Index: event.index, Events: [] }));
    batch.Events.push(wireEvent(event));
  }
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

function wireEvent({ topic, type, key, namespace, filterKeys, index, payload }: Event): object {
  return {
    Topic: topic,
    Type: type,
    Key: key,
    Namespace: namespace,
    FilterKeys: filterKeys.length > 0 ? filterKeys : null,
    Index: index,
    Payload: payload,
  };
}

function wireGap({ from, to, reason, epoch }: Gap): object {
  return { Gap: { From: from, To: to, Reason: reason, ...(epoch !== undefined && { Epoch: epoch }) }, Events: [] };
}
