import { types } from 'node:util';
import { BrokerError } from '../../model/errors.ts';
import { frozenJsonBytes } from './frozen-payload.ts';
import { grownArrayBytes, nameBytes, numberBytes, recordBytes, textBytes } from './heap-size.ts';

/** Deeper payloads are refused: they are circular or would exhaust the stack of whoever reads them. */
const MAX_DEPTH = 500;

/** What an event keeps of a payload. */
export interface Snapshot {
  /** Deeply frozen; equal to what `JSON.parse(JSON.stringify(value))` gives. */
  readonly payload: unknown;
  /** About how much memory it takes. */
  readonly bytes: number;
}

/**
 * Copies a payload in one walk, by the rules of `JSON.stringify`; one that is frozen all the way down is held as it is.
 * Cheaper than a round trip through text (about a quarter of it for a payload of 250 bytes): the text is made when, and
 * only when, somebody needs bytes.
 * @param at where its event stands, for the message
 * @throws BrokerError `bad_request` when the value cannot be JSON, naming the place
 */
export function snapshot(value: unknown, at: string): Snapshot {
  const bytes = heldBytes(value);
  if (bytes !== undefined) return { payload: value, bytes };
  const walk = new Walk(at);
  walk.start(value);
  return walk;
}

/** A proxy may throw at being asked: copying it tells so. */
function heldBytes(value: unknown): number | undefined {
  try {
    return Object.isFrozen(value) ? frozenJsonBytes(value, MAX_DEPTH) : undefined;
  } catch {
    return undefined;
  }
}

class Walk implements Snapshot {
  payload: unknown;
  bytes = 0;
  readonly #at: string;

  constructor(at: string) {
    this.#at = at;
  }

  /** It runs the host's code (getters, toJSON): what that throws is the publisher's failure. */
  start(value: unknown): void {
    try {
      this.payload = this.copy(value, '', 0);
    } catch (error) {
      throw BrokerError.is(error) ? error : this.refuse('reading it threw', error);
    }
    if (this.payload === undefined) throw this.refuse(`a ${typeof value} is no JSON value`);
  }

  refuse(why: string, cause?: unknown): BrokerError {
    return new BrokerError('bad_request', `${this.#at}.payload must be a value that JSON can hold: ${why}.`, { cause });
  }

  /** undefined means: leave it out. */
  copy(value: unknown, key: string | number, depth: number): unknown {
    switch (typeof value) {
      case 'string':
        this.bytes += textBytes(value);
        return value;
      case 'number':
        this.bytes += numberBytes(value);
        return Number.isFinite(value) ? value + 0 : null;
      case 'boolean':
        return value;
      case 'object':
        return this.#copyObject(value, key, depth);
      case 'bigint':
      case 'function':
        return hasToJson(value) ? this.#copyConverted(value, key, depth) : this.#refuseBigInt(value);
      default:
        return undefined;
    }
  }

  #copyObject(value: object | null, key: string | number, depth: number): unknown {
    if (value === null) return null;
    if (depth > MAX_DEPTH) throw this.refuse(`it is circular, or deeper than ${MAX_DEPTH} levels`);
    return hasToJson(value) ? this.#copyConverted(value, key, depth) : this.#copyMembers(value, depth);
  }

  /** A second toJSON is not called, as JSON.stringify does not: an object that returns itself ends here. */
  #copyConverted(value: Convertible, key: string | number, depth: number): unknown {
    const converted = value.toJSON(String(key));
    if (typeof converted === 'object' && converted !== null) return this.#copyMembers(converted, depth);
    if (typeof converted === 'bigint' || typeof converted === 'function') return this.#refuseBigInt(converted);
    return this.copy(converted, key, depth);
  }

  #copyMembers(value: object, depth: number): unknown {
    if (Array.isArray(value)) return this.#copyArray(value, depth);
    // Asked first, since it is cheap: most are.
    const isPlain = Object.getPrototypeOf(value) === Object.prototype;
    if (!isPlain && types.isBoxedPrimitive(value)) return this.#copyBoxed(value, depth);
    return this.#copyRecord(value as Record<string, unknown>, depth);
  }

  /** It may be of another realm; what is only made like one is a record. A boxed symbol is one as well. */
  #copyBoxed(value: object, depth: number): unknown {
    if (types.isNumberObject(value)) return this.copy(Number(value), '', depth);
    if (types.isStringObject(value)) return this.copy(String(value), '', depth);
    if (types.isBooleanObject(value)) return Boolean.prototype.valueOf.call(value);
    if (types.isBigIntObject(value)) return this.#refuseBigInt(BigInt.prototype.valueOf.call(value));
    return this.#copyRecord(value as unknown as Record<string, unknown>, depth);
  }

  /** A function is left out. */
  #refuseBigInt(value: unknown): undefined {
    if (typeof value === 'bigint') throw this.refuse('a BigInt has no JSON form');
  }

  #copyArray(values: readonly unknown[], depth: number): unknown {
    const { length } = values;
    this.bytes += grownArrayBytes(length);
    // It grows, and keeps room that it never uses. `new Array(length)` would not, but V8 takes such arrays for
    // long-lived and puts them where collecting them costs half as much again as the whole publish: `npm run bench`,
    // "publishing".
    const copies: unknown[] = [];
    for (let i = 0; i < length; i++) copies.push(this.copy(values[i], i, depth + 1) ?? null);
    return Object.freeze(copies);
  }

  #copyRecord(record: Readonly<Record<string, unknown>>, depth: number): unknown {
    let members = 0;
    const copies: Record<string, unknown> = {};
    const keys = Object.keys(record);
    for (const key of keys) {
      const copy = this.copy(record[key], key, depth + 1);
      if (copy === undefined) continue;
      members++;
      this.bytes += nameBytes(key, keys.length);
      if (key === '__proto__') Object.defineProperty(copies, key, { value: copy, enumerable: true });
      else copies[key] = copy;
    }
    this.bytes += recordBytes(members);
    return Object.freeze(copies);
  }
}

interface Convertible {
  toJSON(key: string): unknown;
}

function hasToJson(value: unknown): value is Convertible {
  return typeof (value as Partial<Convertible>).toJSON === 'function';
}
