import type { Retry } from '../model/errors.ts';
import type { Event, ObjectKey } from '../model/event.ts';
import type { Gap, GapReason } from '../model/gap.ts';
import { StreamError, type StreamErrorCode, type StreamErrorOptions } from './stream-error.ts';

/** What the first heartbeat says of the stream. */
interface Terms {
  readonly epoch?: string;
  /** 0: no heartbeat comes after this one. */
  readonly heartbeatMs?: number;
  /** Which state the stream holds. */
  readonly mark?: string;
}

/** The server lives; with a bookmark, everything up to `index` has passed. */
export type Heartbeat = Terms &
  ({ readonly kind: 'heartbeat' } | { readonly kind: 'bookmark'; readonly index: number });

/** What one line of a stream says. */
export type WireValue =
  | Heartbeat
  | {
      readonly kind: 'batch';
      readonly index: number;
      readonly events: readonly Event[];
      /** Its number, where it was appended to an index that had a batch already. */
      readonly appended?: number;
      /** Of a state: the objects that are no longer the reader's own. */
      readonly removed?: readonly ObjectKey[];
    }
  /** The state is complete, and current at this index. */
  | { readonly kind: 'current'; readonly index: number }
  | { readonly kind: 'gap'; readonly gap: Gap }
  | { readonly kind: 'error'; readonly error: StreamError };

type Wire = Readonly<Record<string, unknown>>;

/**
 * Reads one line. An object of which no member is known is a heartbeat: later servers may say more.
 * @throws StreamError `malformed`
 */
export function parseLine(line: string, parse?: (line: string) => unknown): WireValue {
  const wire = parseObject(line, parse);
  if (!wire) throw malformed();
  const error = parseError(wire);
  if (error) return { kind: 'error', error };
  if (isObject(wire.Gap)) return { kind: 'gap', gap: gapOf(wire.Gap) };
  if (isObject(wire.Current)) return { kind: 'current', index: indexOf(wire.Current.Index) };
  if (Array.isArray(wire.Events)) return batchOf(indexOf(wire.Index), wire.Events, wire);
  const terms = termsOf(wire);
  return wire.Index === undefined
    ? { kind: 'heartbeat', ...terms }
    : { kind: 'bookmark', index: indexOf(wire.Index), ...terms };
}

function termsOf({ Epoch: epoch, HeartbeatMs: heartbeatMs, Mark: mark }: Wire): Terms {
  return {
    ...(typeof epoch === 'string' && epoch && { epoch }),
    ...(typeof heartbeatMs === 'number' && heartbeatMs >= 0 && { heartbeatMs }),
    ...(typeof mark === 'string' && mark && { mark }),
  };
}

/**
 * The error that an object of the wire holds, if it holds one: a stream's last line, or the body of a refusal.
 * @param otherwise the advice when the server gives none
 */
export function parseError(
  wire: Wire | undefined,
  otherwise: Retry = 'resume',
  options?: StreamErrorOptions,
): StreamError | undefined {
  const error = wire?.Error;
  if (!isObject(error) || typeof error.Code !== 'string') return undefined;
  const index = typeof error.Index === 'number' ? error.Index : undefined;
  const { Retry: advice, Gap: gap } = error;
  const retry = advice === 'never' || advice === 'resubscribe' || advice === 'resume' ? advice : otherwise;
  return new StreamError(error.Code as StreamErrorCode, String(error.Message), retry, {
    ...options,
    index,
    gap: isObject(gap) && isIndex(gap.From) && isIndex(gap.To) ? gapOf(gap) : undefined,
  });
}

/** Undefined for what is no JSON object. */
export function parseObject(text: string, parse: (text: string) => unknown = JSON.parse): Wire | undefined {
  try {
    const value = parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function batchOf(index: number, wires: readonly unknown[], { Appended: appended, Removed: removed }: Wire): WireValue {
  return {
    kind: 'batch',
    index,
    events: wires.map((event) => eventOf(index, event)),
    ...(appended === undefined ? {} : { appended: indexOf(appended) }),
    ...(Array.isArray(removed) ? { removed: removed.map(objectOf) } : {}),
  };
}

function objectOf(wire: unknown): ObjectKey {
  if (!isObject(wire)) throw malformed();
  const { Topic: topic, Namespace: namespace, Key: key } = wire;
  if (typeof topic !== 'string' || typeof namespace !== 'string' || typeof key !== 'string') throw malformed();
  return { topic, namespace, key };
}

function eventOf(index: number, wire: unknown): Event {
  if (!isObject(wire)) throw malformed();
  const { Topic: topic, Type: type, Key: key, Namespace: namespace, FilterKeys: filterKeys, Payload: payload } = wire;
  if (typeof topic !== 'string' || typeof type !== 'string' || typeof key !== 'string') throw malformed();
  return {
    topic,
    type,
    key,
    namespace: typeof namespace === 'string' ? namespace : '',
    filterKeys: Array.isArray(filterKeys) ? filterKeys : [],
    index,
    payload,
  };
}

function gapOf({ From, To, Reason, Epoch, Mark }: Wire): Gap {
  return {
    from: indexOf(From),
    to: indexOf(To),
    reason: Reason as GapReason,
    ...(typeof Epoch === 'string' && { epoch: Epoch }),
    ...(typeof Mark === 'string' && { mark: Mark }),
  };
}

function indexOf(value: unknown): number {
  if (!isIndex(value)) throw malformed();
  return value;
}

const isIndex = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function isObject(value: unknown): value is Wire {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(): StreamError {
  return new StreamError('malformed', 'A line is none of the event stream.', 'resume');
}
