import type { AclRef } from '../../model/acl-ref.ts';
import { EncodedBatch } from '../batch/encoded-batch.ts';
import { EncodedEvent } from '../batch/encoded-event.ts';
import type { LogRecord } from './event-log.ts';
import type { Topics } from '../../model/topics.ts';

/** What a record says: a batch (without events where only ACLs changed), and which ACL objects it changes. */
export interface DecodedRecord {
  readonly batch: EncodedBatch;
  readonly refs: readonly AclRef[];
}

type Head = readonly [
  topic: string,
  type: string,
  key: string,
  namespace: string,
  filterKeys: readonly string[],
  length: number,
];

interface Header {
  /** Version of the layout. */
  readonly v: 1;
  readonly events: readonly Head[];
  readonly acl?: readonly AclRef[];
}

/**
 * A record's body: one line of JSON with all that matching needs and the length of each payload, then the payloads'
 * texts. So a reader that does not want an event never parses its payload, and one that passes it on copies the text.
 */
export function encodeRecord(events: readonly EncodedEvent[], refs: readonly AclRef[]): Uint8Array {
  const payloads = events.map(({ payloadJson }) => payloadJson);
  const heads = events.map(({ topic, type, key, namespace, filterKeys }, i): Head => {
    return [topic, type, key, namespace, filterKeys, payloads[i]?.length ?? 0];
  });
  const header: Header = { v: 1, events: heads, ...(refs.length > 0 ? { acl: refs } : {}) };
  return Buffer.from(`${JSON.stringify(header)}\n${payloads.join('')}`);
}

/** @returns undefined for a body that this version did not write */
export function decodeRecord({ index, body }: LogRecord, topics: Topics): DecodedRecord | undefined {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
  const lineEnd = text.indexOf('\n');
  const header = parseHeader(text.slice(0, lineEnd));
  if (header === undefined) return undefined;
  let at = lineEnd + 1;
  const events = header.events.map(([topic, type, key, namespace, filterKeys, length]) => {
    const json = text.slice(at, (at += length));
    const meta = { topic, type, key, namespace, filterKeys };
    return new EncodedEvent(meta, topics.namesOf(topic, type), { json, bytes: length });
  });
  return { batch: new EncodedBatch(index, events), refs: header.acl ?? [] };
}

function parseHeader(line: string): Header | undefined {
  try {
    const header = JSON.parse(line) as Header;
    return header.v === 1 && Array.isArray(header.events) ? header : undefined;
  } catch {
    return undefined;
  }
}
