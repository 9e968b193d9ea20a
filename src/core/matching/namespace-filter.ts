import { BrokerError } from '../../model/errors.ts';
import { describe } from '../../model/describe.ts';

/** One namespace, several, or `'*'` for all. */
export type NamespaceInput = string | readonly string[];

/** Which namespaces a subscription asked for. An event without a namespace passes every one. Immutable. */
export class NamespaceFilter {
  /** Sorted; `['*']` for all. */
  readonly names: readonly string[];
  readonly #set: ReadonlySet<string>;

  private constructor(names: readonly string[]) {
    this.names = Object.freeze(names.includes('*') ? ['*'] : [...new Set(names)].toSorted());
    this.#set = new Set(this.names);
  }

  /** @throws BrokerError `bad_request` for a namespace that is empty or no string, and for an empty list */
  static from(input: NamespaceInput = 'default'): NamespaceFilter {
    const names = typeof input === 'string' ? [input] : input;
    if (!Array.isArray(names) || names.length === 0) throw badNamespace(input);
    for (const name of names) if (typeof name !== 'string' || name === '') throw badNamespace(name);
    return new NamespaceFilter(names);
  }

  get isAll(): boolean {
    return this.#set.has('*');
  }

  passes(namespace: string): boolean {
    return namespace === '' || this.#set.has(namespace) || this.isAll;
  }

  /** Whether all that `other` asks for is asked for here. */
  covers(other: NamespaceFilter): boolean {
    return this.isAll || other.names.every((name) => this.#set.has(name));
  }

  /** Canonical: equal for equal sets. */
  toString(): string {
    return JSON.stringify(this.names);
  }
}

function badNamespace(value: unknown): BrokerError {
  return new BrokerError(
    'bad_request',
    `namespace must be a name that is not empty, or "*" for all; got ${describe(value)}.`,
  );
}
