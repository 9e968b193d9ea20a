import { arrayBytes, nameBytes, numberBytes, recordBytes, textBytes } from './heap-size.ts';

/**
 * Freezes a value that was read from JSON, all the way down.
 * @returns about how many bytes it takes
 */
export function deepFreeze(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return textBytes(value);
    case 'number':
      return numberBytes(value);
    case 'object':
      return value === null ? 0 : freezeObject(value);
    default:
      return 0;
  }
}

function freezeObject(value: object): number {
  Object.freeze(value);
  if (Array.isArray(value))
    return value.reduce<number>((bytes, member) => bytes + deepFreeze(member), arrayBytes(value.length));
  const members = Object.entries(value);
  return members.reduce(
    (bytes, [name, member]) => bytes + nameBytes(name, members.length) + deepFreeze(member),
    recordBytes(members.length),
  );
}
