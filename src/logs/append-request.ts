import { checkNumber, indexOrNone } from '../model/numbers.ts';
import { BrokerError } from '../model/errors.ts';
import { describe } from '../model/describe.ts';
import { checkOptions } from '../model/options.ts';
import type { OptionNames } from '../model/options.ts';
import type { AppendOptions, LogCapabilities, LogRecordKind, LogTransaction } from '../core/log/event-log.ts';

/** Longest id of an append, in bytes of UTF-8. */
export const MAX_ID_BYTES = 512;

/** Longest key of a pin, in bytes of UTF-8. */
export const MAX_PIN_BYTES = 1024;

const knownOptions: OptionNames<AppendOptions> = {
  kind: true,
  id: true,
  expectedHead: true,
  pins: true,
  unpins: true,
  transaction: true,
  signal: true,
};

/** What `append` was asked for, checked, with a body and keys that the caller cannot change any more. */
export interface AppendRequest {
  readonly kind: LogRecordKind;
  readonly body: Uint8Array;
  readonly id: string | undefined;
  readonly expectedHead: number | undefined;
  /** Each key once; none is among {@link unpins} as well. */
  readonly pins: readonly string[];
  readonly unpins: readonly string[];
  /** What it holds of memory while it waits: its body and its keys. */
  readonly bytes: number;
  readonly transaction: LogTransaction | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Checks an append against what the log can do, and copies its body with `copy`.
 * @throws TypeError for what is no body, kind, index or list of keys, and an option that is not known
 * @throws BrokerError `bad_request` for an id that is none, a body, id or key over its limit, a key that is to be
 * pinned and unpinned; `not_supported` for what the log cannot do
 */
export function checkAppend(
  body: Uint8Array,
  options: AppendOptions,
  can: LogCapabilities,
  copy: (body: Uint8Array) => Uint8Array = (bytes) => Uint8Array.from(bytes),
): AppendRequest {
  checkOptions<AppendOptions>(options, knownOptions, 'append');
  const { kind = 'events', id, expectedHead, transaction, signal } = options;
  const pins = checkKeys('pins', options.pins, can);
  const unpins = checkKeys('unpins', options.unpins, can);
  checkDisjoint(pins, unpins);
  checkBody(body, can);
  if (kind !== 'events' && kind !== 'acl') throw new TypeError(`kind must be 'events' or 'acl'; got ${String(kind)}.`);
  if (id !== undefined) checkId(id, can);
  if (expectedHead !== undefined) checkExpectedHead(expectedHead, can);
  if (transaction !== undefined) checkTransaction(transaction, can);
  const bytes = body.byteLength + bytesOf(pins) + bytesOf(unpins);
  return { kind, body: copy(body), id, expectedHead, pins, unpins, bytes, transaction, signal };
}

function checkBody(body: Uint8Array, { maxRecordBytes }: LogCapabilities): void {
  if (!(body instanceof Uint8Array)) throw new TypeError('The body of a record must be a Uint8Array.');
  if (body.byteLength <= maxRecordBytes) return;
  throw new BrokerError(
    'bad_request',
    `A record of ${body.byteLength} bytes is too large for the log; at most ${maxRecordBytes} bytes are allowed.`,
  );
}

function checkId(id: string, { dedupeWindowMs }: LogCapabilities): void {
  if (dedupeWindowMs === 0) throw new BrokerError('not_supported', 'This log does not recognise repeated ids.');
  if (typeof id !== 'string' || id === '')
    throw new BrokerError('bad_request', `id must be a string that is not empty; got ${JSON.stringify(id)}.`);
  const bytes = Buffer.byteLength(id);
  if (bytes <= MAX_ID_BYTES) return;
  throw new BrokerError(
    'bad_request',
    `An id of ${bytes} bytes is too long; at most ${MAX_ID_BYTES} bytes are allowed.`,
  );
}

function checkExpectedHead(head: number, { compareAndAppend }: LogCapabilities): void {
  if (!compareAndAppend) throw new BrokerError('not_supported', 'This log cannot append at an expected head.');
  checkNumber('expectedHead', head, indexOrNone);
}

/** @returns a copy, each key once */
function checkKeys(name: 'pins' | 'unpins', keys: readonly string[] | undefined, can: LogCapabilities): string[] {
  if (keys === undefined) return [];
  if (!can.pins) throw new BrokerError('not_supported', `This log cannot pin records: it does not take ${name}.`);
  if (!Array.isArray(keys)) throw new TypeError(`${name} must be an array of strings; got ${describe(keys)}.`);
  const unique = new Set<string>(keys);
  for (const key of unique) checkKey(name, key);
  return [...unique];
}

function checkKey(name: string, key: unknown): void {
  if (typeof key !== 'string') throw new TypeError(`${name} must be an array of strings; one is ${describe(key)}.`);
  const bytes = Buffer.byteLength(key);
  if (bytes <= MAX_PIN_BYTES) return;
  throw new BrokerError(
    'bad_request',
    `A key of ${bytes} bytes in ${name} is too long; at most ${MAX_PIN_BYTES} bytes are allowed.`,
  );
}

function checkDisjoint(pins: readonly string[], unpins: readonly string[]): void {
  if (pins.length === 0 || unpins.length === 0) return;
  const pinned = new Set(pins);
  const both = unpins.find((key) => pinned.has(key));
  if (both === undefined) return;
  throw new BrokerError('bad_request', `The key ${describe(both)} is in both pins and unpins; it can be in one.`);
}

const bytesOf = (keys: readonly string[]): number => keys.reduce((bytes, key) => bytes + Buffer.byteLength(key), 0);

function checkTransaction(transaction: LogTransaction, { transactional = false }: LogCapabilities): void {
  if (!transactional) throw new BrokerError('not_supported', "This log cannot append in a host's transaction.");
  if (typeof (transaction as Partial<LogTransaction> | null)?.query !== 'function')
    throw new TypeError('transaction must have a function query(text, values).');
}

/** The refusal of an append whose `expectedHead` is not the head. */
export function indexConflict(expectedHead: number, head: number): BrokerError {
  return new BrokerError('index_conflict', `Expected the log's head to be ${expectedHead}; it is ${head}.`);
}
