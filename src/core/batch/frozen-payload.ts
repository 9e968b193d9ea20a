import { types } from 'node:util';
import { arrayBytes, nameBytes, numberBytes, recordBytes, textBytes } from './heap-size.ts';

/**
 * A payload that is frozen all the way down, and is JSON as it stands, cannot change any more: it is held as it is, and
 * not copied. That saves its memory; to find it out takes up to twice as long as copying: `npm run bench`, scenario
 * "copying".
 * @param depth how deep it may be
 * @returns about how much memory it takes; undefined where it has to be copied
 */
export function frozenJsonBytes(value: unknown, depth: number): number | undefined {
  switch (typeof value) {
    case 'string':
      return textBytes(value);
    case 'number':
      // JSON has neither -0 nor what is not finite.
      return Number.isFinite(value) && !Object.is(value, -0) ? numberBytes(value) : undefined;
    case 'boolean':
      return 0;
    case 'object':
      return value === null ? 0 : objectBytes(value, depth);
    default:
      return undefined;
  }
}

function objectBytes(value: object, depth: number): number | undefined {
  if (depth < 0 || isExotic(value) || !Object.isFrozen(value) || 'toJSON' in value) return undefined;
  // Both together cost half of `Reflect.ownKeys`.
  const names = Object.getOwnPropertyNames(value);
  if (Object.getOwnPropertySymbols(value).length > 0) return undefined;
  return Array.isArray(value) ? elementBytes(value, names.length, depth) : memberBytes(value, names, depth);
}

/**
 * JSON would not make of it what its members say, or what they say may change for all that it is frozen: a proxy
 * answers with a `toJSON` that it does not have, or throws at it, in the midst of writing to readers; a view grows with
 * its buffer. Nothing else tells them from plain objects, where they have a plain object's prototype.
 */
const isExotic = (value: object): boolean =>
  types.isProxy(value) || types.isBoxedPrimitive(value) || ArrayBuffer.isView(value);

/** A plain object: JSON would make another one of anything else. */
function memberBytes(value: object, names: readonly string[], depth: number): number | undefined {
  if (Object.getPrototypeOf(value) !== Object.prototype) return undefined;
  let bytes = recordBytes(names.length);
  for (const name of names) {
    const member = ownBytes(value, name, depth);
    if (member === undefined) return undefined;
    bytes += nameBytes(name, names.length) + member;
  }
  return bytes;
}

/** A plain array: no element is missing, and nothing but elements and the length is there. */
function elementBytes(values: readonly unknown[], names: number, depth: number): number | undefined {
  if (Object.getPrototypeOf(values) !== Array.prototype || names !== values.length + 1) return undefined;
  let bytes = arrayBytes(values.length);
  for (let i = 0; i < values.length; i++) {
    const element = ownBytes(values, i, depth);
    if (element === undefined) return undefined;
    bytes += element;
  }
  return bytes;
}

/** A getter could answer something else each time: it has no value here, and is copied as all that is no JSON. */
function ownBytes(owner: object, name: string | number, depth: number): number | undefined {
  const own = Object.getOwnPropertyDescriptor(owner, name);
  return own?.enumerable ? frozenJsonBytes(own.value, depth - 1) : undefined;
}
