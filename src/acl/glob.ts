/**
 * A name in which each `*` stands for any characters, or none. Matching takes no backtracking: its cost is that of a
 * few searches for the literal parts, whatever the pattern.
 */
export class Glob {
  readonly pattern: string;
  /** Characters that a match must have literally: the more, the closer the pattern is to what it matches. */
  readonly literalLength: number;
  readonly #prefix: string;
  readonly #middle: readonly string[];
  readonly #suffix: string;

  constructor(pattern: string) {
    this.pattern = pattern;
    this.#prefix = pattern.slice(0, pattern.indexOf('*'));
    this.#middle = pattern.split('*').slice(1, -1);
    this.#suffix = pattern.slice(pattern.lastIndexOf('*') + 1);
    this.literalLength = pattern.replaceAll('*', '').length;
  }

  static isGlob(name: string): boolean {
    return name.includes('*');
  }

  /** Only for patterns with at least one `*`. */
  matches(text: string): boolean {
    return text.startsWith(this.#prefix) && text.endsWith(this.#suffix) && this.#middleFits(text);
  }

  /** The leftmost place of each part leaves the most room to those after it, so the first try decides. */
  #middleFits(text: string): boolean {
    const end = text.length - this.#suffix.length;
    let from = this.#prefix.length;
    for (const part of this.#middle) {
      const at = text.indexOf(part, from);
      if (at < 0) return false;
      from = at + part.length;
    }
    return from <= end;
  }
}
