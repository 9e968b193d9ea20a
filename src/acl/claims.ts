import { describe } from '../model/describe.ts';

import type { Claims } from '../model/topic-definition.ts';

/** Claims that were looked at. */
export interface CheckedClaims {
  /** A frozen copy; undefined where there are none, or none that can be used. */
  readonly value: Claims | undefined;
  /** Canonical text: equal for equal claims, whatever the order of their members. `''` for none. */
  readonly text: string;
  /** Why they cannot be used. Names the place, and not what stands there. */
  readonly fault: string | undefined;
}

/** Deeper than this, claims are taken for an object that holds itself. */
const MAX_DEPTH = 32;

const none: CheckedClaims = { value: undefined, text: '', fault: undefined };

/**
 * Copies claims. They are plain JSON, since equal ones have to be told from others: those who have the same share what
 * is matched and encoded for them. A member that is undefined is as an absent one.
 *
 * Claims that are none do not throw: whoever asks for topics without a rule does not need them.
 */
export function checkClaims(claims: unknown): CheckedClaims {
  if (claims === undefined) return none;
  try {
    if (typeof claims !== 'object' || claims === null || Array.isArray(claims))
      throw new TypeError(`claims must be an object; got ${describe(claims)}.`);
    const value = copyJson(claims, 'claims', 0) as Claims;
    return { value, text: JSON.stringify(value), fault: undefined };
  } catch (error) {
    return { ...none, fault: error instanceof TypeError ? error.message : 'claims cannot be read.' };
  }
}

/** Members in order of their names, so that the text of the copy is canonical. */
function copyJson(value: unknown, place: string, depth: number): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (Number.isFinite(value)) return value;
  if (depth > MAX_DEPTH) throw new TypeError(`${place} lies deeper than ${MAX_DEPTH} levels.`);
  if (Array.isArray(value))
    return Object.freeze(Array.from(value, (item, i) => copyJson(item, `${place}[${i}]`, depth + 1)));
  if (typeof value === 'object' && isPlain(value)) return copyMembers(value, place, depth);
  throw new TypeError(
    `${place} must be plain JSON; got ${describe(typeof value === 'object' ? value : typeof value)}.`,
  );
}

function copyMembers(value: object, place: string, depth: number): unknown {
  const copy = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, member]) => [name, copyJson(member, `${place}.${name}`, depth + 1)]);
  return Object.freeze(Object.fromEntries(copy));
}

/** Made by `{}`, of this realm or another, or without a prototype. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
