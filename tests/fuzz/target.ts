import { BrokerError } from '../../src/model/errors.ts';
import type { BrokerErrorCode } from '../../src/model/errors.ts';
import { StreamError, type StreamErrorCode } from '../../src/client/stream-error.ts';

/** Something that takes input from outside. */
export interface FuzzTarget {
  /** The corpus stands in the folder of this name. */
  readonly name: string;
  /** Words of its language. */
  readonly words: readonly string[];
  /** How many generated inputs the test takes. */
  readonly tries: number;
  /** @throws (or rejects) where the input is treated in another way than what is documented */
  readonly run: (input: Buffer) => void | Promise<void>;
  /** Ends what `run` has begun. */
  readonly close?: () => Promise<void>;
}

/** However long the input: what an error says of it is cut. */
const MAX_MESSAGE_LENGTH = 4096;

/** The answer, or undefined where the input is refused with one of the codes that are documented for it. */
export function documented<T>(parse: () => T, ...codes: readonly BrokerErrorCode[]): T | undefined {
  try {
    return parse();
  } catch (error) {
    requireDocumented(error, codes);
    return undefined;
  }
}

/** As {@link documented}, of the client's errors. */
export function documentedOfClient<T>(parse: () => T, ...codes: readonly StreamErrorCode[]): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!StreamError.is(error) || !codes.includes(error.code)) throw error;
    return undefined;
  }
}

export function requireDocumented(error: unknown, codes: readonly BrokerErrorCode[]): void {
  if (!BrokerError.is(error) || !codes.includes(error.code)) throw error;
  if (error.message.length > MAX_MESSAGE_LENGTH)
    throw new Error(`An error's message has ${error.message.length} letters.`);
}

export function requireEqual(got: unknown, expected: unknown, what: string): void {
  const [one, other] = [JSON.stringify(got), JSON.stringify(expected)];
  if (one !== other) throw new Error(`${what}: got ${one?.slice(0, 500)}; expected ${other?.slice(0, 500)}.`);
}

export function require(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}
