// What values take on V8's heap (64 bit), near enough: within a factor of two of what a process grows by, which a test
// measures. The length of the text would not do: an empty object is two letters of JSON and 56 bytes, a NUL is six
// letters and one byte.

/** In shorter texts what surrounds the letters counts for more. */
const MIN_LENGTH_LOOKED_INTO = 32;

/** Letters, and what V8 keeps beside them. */
export function textBytes(text: string): number {
  const { length } = text;
  return 16 + (length >= MIN_LENGTH_LOOKED_INTO && isWide(text) ? 2 * length : length);
}

/**
 * Whether every letter takes two bytes, as all do where one needs it. Four or five of them are looked at: text in a
 * wide script is found, a single wide letter in a long text is not, and then the estimate is half of the truth. To look
 * at sixteen costs a publish of 250 bytes a twentieth of its time.
 */
function isWide(text: string): boolean {
  const step = text.length >> 2;
  for (let i = 0; i < text.length; i += step) if (text.charCodeAt(i) > 0xff) return true;
  return false;
}

/** A number in a member or an element beside the place for it, which is counted with the object. */
export function numberBytes(value: number): number {
  return (value | 0) === value ? 0 : 8;
}

/** An array with places for so many elements. */
export function arrayBytes(length: number): number {
  return 32 + (length === 0 ? 0 : 16 + 8 * length);
}

/** An array that got its elements one by one: it has room for half as many again, and for 16. */
export function grownArrayBytes(length: number): number {
  let places = 0;
  while (places < length) places += (places >> 1) + 17;
  return arrayBytes(places);
}

/** An object with places for so many members: four in itself, more in a store beside it. */
export function recordBytes(members: number): number {
  return 56 + (members > 4 ? 16 + 8 * (members - 4) : 0);
}

/**
 * The name of one of an object's members. Most names are shared by many objects and cost next to nothing. One that no
 * other object has costs its text and a shape of its own, which counts where an object has many: only those are looked
 * up.
 * @param members how many the object has
 */
export function nameBytes(name: string, members: number): number {
  return members > MANY_MEMBERS && !names.knows(name) ? name.length + OWN_NAME_BYTES : name.length + 8;
}

const MANY_MEMBERS = 8;
const OWN_NAME_BYTES = 110;

/** Names that were seen lately: at most so many, in two generations. */
const MAX_NAMES = 4096;

class RecentNames {
  #young = new Set<string>();
  #old = new Set<string>();

  /** Whether it was seen before; it is from now on. */
  knows(name: string): boolean {
    if (this.#young.has(name)) return true;
    if (this.#young.size >= MAX_NAMES / 2) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(name);
    return this.#old.has(name);
  }
}

const names = new RecentNames();
