import type { Retry } from '../model/errors.ts';
import type { Event, EventBatch } from '../model/event.ts';
import type { Gap, GapReason } from '../model/gap.ts';
import { StreamError, type StreamErrorCode, type StreamErrorOptions } from './stream-error.ts';

/** An object of the wire, whose members may be anything. */
export type Wire = Readonly<Record<string, unknown>>;

/** What one line of a stream says: a gap, a batch, else that the server lives. */
export interface Line {
  /** All of it: parts of the client know more of its members. */
  readonly wire: Wire;
  readonly gap?: Gap | undefined;
  readonly batch?: EventBatch | undefined;
  /** Number of the batch, where it was appended to an index that had one already. */
  readonly appended?: number | undefined;
  /** Without a batch: everything up to it has passed. */
  readonly index?: number | undefined;
  readonly epoch?: string | undefined;
  /** How often the server sends a heartbeat; 0: none comes after this one. */
  readonly heartbeatMs?: number | undefined;
}

/**
 * Reads one line. An object of which no member is known is a heartbeat: later servers may say more.
 * @throws StreamError `malformed`, or what the line says has ended the stream
 */
export function parseLine(text: string, parse?: (line: string) => unknown): Line {
  const wire = parseObject(text, parse);
  if (!wire) throw malformed();
  const error = parseError(wire);
  if (error) throw error;
  const { Gap, Current, Index, Events, Appended = 0, Epoch, HeartbeatMs } = wire;
  if (isObject(Gap)) return { wire, gap: gapOf(Gap) };
  // Lines of other kinds have an empty list of events beside, for readers that know batches alone.
  if (Array.isArray(Events) && !isObject(Current)) {
    const index = indexOf(Index);
    const events = Events.map((event) => eventOf(index, event));
    return { wire, batch: { index, events }, appended: indexOf(Appended) };
  }
  return {
    wire,
    index: Index === undefined ? undefined : indexOf(Index),
    epoch: typeof Epoch === 'string' ? Epoch : undefined,
    heartbeatMs: typeof HeartbeatMs === 'number' && HeartbeatMs >= 0 ? HeartbeatMs : undefined,
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
  const { Code: code, Message: message, Retry: advice, Index: index, Gap: gap } = error;
  const retry = advice === 'never' || advice === 'resubscribe' || advice === 'resume' ? advice : otherwise;
  return new StreamError(code as StreamErrorCode, String(message), retry, {
    ...options,
    index: typeof index === 'number' ? index : undefined,
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

function eventOf(index: number, wire: unknown): Event {
  if (!isObject(wire)) throw malformed();
  const { Topic, Type, Key, Namespace, FilterKeys, Payload: payload } = wire;
  return {
    topic: textOf(Topic),
    type: textOf(Type),
    key: textOf(Key),
    namespace: typeof Namespace === 'string' ? Namespace : '',
    filterKeys: Array.isArray(FilterKeys) ? FilterKeys : [],
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

/** @throws StreamError `malformed` for what is no index */
export function indexOf(value: unknown): number {
  if (!isIndex(value)) throw malformed();
  return value;
}

/** @throws StreamError `malformed` for what is no text */
export function textOf(value: unknown): string {
  if (typeof value !== 'string') throw malformed();
  return value;
}

const isIndex = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

export const isObject = (value: unknown): value is Wire =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const malformed = (options?: StreamErrorOptions): StreamError =>
  new StreamError('malformed', 'A line is none of the event stream.', 'resume', options);
