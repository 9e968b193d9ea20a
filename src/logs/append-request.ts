import { BrokerError } from '../model/errors.ts';
import { describe } from '../model/describe.ts';
import { checkOptions } from '../model/options.ts';
import type { OptionNames } from '../model/options.ts';
import type { AppendOptions, LogCapabilities, LogRecordKind, LogTransaction } from '../core/log/event-log.ts';

/** Longest id of an append, in bytes of UTF-8. */
export const MAX_ID_BYTES = 512;

/** Longest key that a record can be pinned to, in bytes of UTF-8. */
export const MAX_PIN_BYTES = 1024;

const knownOptions: OptionNames<AppendOptions> = {
  kind: true,
  id: true,
  expectedHead: true,
  transaction: true,
  pins: true,
  unpins: true,
  signal: true,
};

/** What `append` was asked for, checked, with a body that the caller cannot change any more. */
export interface AppendRequest {
  readonly kind: LogRecordKind;
  readonly body: Uint8Array;
  readonly id: string | undefined;
  readonly expectedHead: number | undefined;
  readonly transaction: LogTransaction | undefined;
  /** Keys that the record is the newest of from now on. */
  readonly pins: readonly string[];
  /** Keys that need no record any more. */
  readonly unpins: readonly string[];
  readonly signal: AbortSignal | undefined;
}

const none: readonly string[] = Object.freeze([]);

/**
 * Checks an append against what the log can do, and copies its body with `copy`.
 * @throws TypeError for what is no body, kind or index, and an option that is not known
 * @throws BrokerError `bad_request` for an id that is none, a body or id over its limit, `not_supported` for what the
 * log cannot do
 */
export function checkAppend(
  body: Uint8Array,
  options: AppendOptions,
  can: LogCapabilities,
  copy: (body: Uint8Array) => Uint8Array = (bytes) => Uint8Array.from(bytes),
): AppendRequest {
  checkOptions<AppendOptions>(options, knownOptions, 'append');
  const { kind = 'events', id, expectedHead, pins = none, unpins = none, transaction, signal } = options;
  checkBody(body, can);
  if (kind !== 'events' && kind !== 'acl') throw new TypeError(`kind must be 'events' or 'acl'; got ${String(kind)}.`);
  if (id !== undefined) checkId(id, can);
  if (expectedHead !== undefined) checkExpectedHead(expectedHead, can);
  if (pins !== none || unpins !== none) checkPins(pins, unpins, can);
  if (transaction !== undefined) checkTransaction(transaction, can);
  const kept = { pins: [...pins], unpins: [...unpins] };
  return { kind, body: copy(body), id, expectedHead, ...kept, transaction, signal };
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
  if (!Number.isSafeInteger(head) || head < 0) throw new TypeError(`expectedHead must be an index or 0; got ${head}.`);
}

function checkTransaction(transaction: LogTransaction, { transactional = false }: LogCapabilities): void {
  if (!transactional) throw new BrokerError('not_supported', "This log cannot append in a host's transaction.");
  if (typeof (transaction as Partial<LogTransaction> | null)?.query !== 'function')
    throw new TypeError('transaction must have a function query(text, values).');
}

function checkPins(
  pins: readonly string[],
  unpins: readonly string[],
  { pins: canPin = false }: LogCapabilities,
): void {
  for (const [name, keys] of Object.entries({ pins, unpins })) {
    if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'string'))
      throw new TypeError(`${name} must be a list of keys; got ${describe(keys)}.`);
    const longest = Math.max(0, ...keys.map((key) => Buffer.byteLength(key)));
    if (longest > MAX_PIN_BYTES)
      throw new BrokerError(
        'bad_request',
        `A key of ${longest} bytes is too long to be kept in this log; at most ${MAX_PIN_BYTES} bytes are allowed.`,
      );
  }
  const both = pins.find((key) => unpins.includes(key));
  if (both !== undefined) throw new TypeError(`A key is pinned or unpinned, not both: ${describe(both)}.`);
  if (!canPin && pins.length + unpins.length > 0)
    throw new BrokerError('not_supported', 'This log cannot keep records past its retention (pins).');
}

/** The refusal of an append whose `expectedHead` is not the head. */
export function indexConflict(expectedHead: number, head: number): BrokerError {
  return new BrokerError('index_conflict', `Expected the log's head to be ${expectedHead}; it is ${head}.`);
}
