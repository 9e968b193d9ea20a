import { EncodedBatch } from '../batch/encoded-batch.ts';
import { EncodedEvent } from '../batch/encoded-event.ts';
import { textBytes } from '../batch/heap-size.ts';
import type { AclRef } from '../../model/acl-ref.ts';
import type { EventMeta } from '../../model/event.ts';
import type { Topics } from '../../model/topics.ts';
import type { LogRecord } from './event-log.ts';

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
 * texts. So a reader that passes an event on copies its text.
 */
export function encodeRecord(events: readonly EncodedEvent[], refs: readonly AclRef[]): Uint8Array {
  const payloads = events.map(({ payloadJson }) => payloadJson);
  const heads = events.map(({ topic, type, key, namespace, filterKeys }, i): Head => {
    return [topic, type, key, namespace, filterKeys, payloads[i]?.length ?? 0];
  });
  const header: Header = { v: 1, events: heads, ...(refs.length > 0 ? { acl: refs } : {}) };
  return Buffer.from(`${JSON.stringify(header)}\n${payloads.join('')}`);
}

/**
 * Others can write to a shared log, and what is stored can be damaged: everything is looked at here, once, so that no
 * reader meets a surprise.
 * @returns undefined for a body that this version would not have written
 */
export function decodeRecord({ index, body }: LogRecord, topics: Topics): DecodedRecord | undefined {
  const text = textOf(body);
  if (text === undefined) return undefined;
  const lineEnd = text.indexOf('\n');
  if (lineEnd < 0) return undefined;
  const header = parseJson(text.slice(0, lineEnd));
  if (!isHeader(header)) return undefined;
  const payloads = cut(text, lineEnd + 1, header.events);
  if (payloads === undefined) return undefined;
  const events = header.events.map(([topic, type, key, namespace, filterKeys], i) => {
    const json = payloads[i] ?? '';
    const meta: EventMeta = { topic, type, key, namespace, filterKeys: Object.freeze(filterKeys) };
    return new EncodedEvent(meta, topics.namesOf(topic, type), { json, bytes: textBytes(json) });
  });
  return { batch: new EncodedBatch(index, events), refs: header.acl ?? [] };
}

/** The letter that stands for bytes that are no UTF-8; where it is found, it may be one that was meant. */
const REPLACEMENT = '\uFFFD';

function textOf(body: Uint8Array): string | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const text = bytes.toString();
  return text.includes(REPLACEMENT) && !Buffer.from(text).equals(bytes) ? undefined : text;
}

/**
 * @returns the payloads' texts, each of them JSON in one line; undefined where their lengths are not those of the text
 */
function cut(text: string, start: number, heads: readonly Head[]): readonly string[] | undefined {
  let at = start;
  const payloads = heads.map(([, , , , , length]) => text.slice(at, (at += length)));
  return at === text.length && payloads.every(isJsonLine) ? payloads : undefined;
}

/** A payload's text is sent as it is: a line break between its parts, which JSON allows, would begin another line. */
const isJsonLine = (json: string): boolean => !/[\n\r]/.test(json) && parseJson(json) !== undefined;

function isHeader(value: unknown): value is Header {
  const { v, events, acl, ...others } = (value ?? {}) as Record<string, unknown>;
  if (v !== 1 || Object.keys(others).length > 0) return false;
  const isOfAcls = acl === undefined || (Array.isArray(acl) && acl.length > 0 && acl.every(isRef));
  return isOfAcls && Array.isArray(events) && events.every(isHead);
}

function isHead(value: unknown): value is Head {
  if (!Array.isArray(value) || value.length !== 6) return false;
  const [topic, type, key, namespace, filterKeys, length] = value as unknown[];
  const areNames = isName(topic) && topic !== '*' && !topic.includes(':') && isName(type) && typeof key === 'string';
  return areNames && typeof namespace === 'string' && namespace !== '*' && areKeys(filterKeys) && isLength(length);
}

const isName = (value: unknown): value is string => typeof value === 'string' && value !== '';
const areKeys = (value: unknown): value is string[] => Array.isArray(value) && value.every(isName);
const isLength = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;
const isRef = (value: unknown): value is AclRef => typeof value === 'string' && /^(token|role|policy):/.test(value);

/** Undefined for what is no JSON, which JSON itself cannot say. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
