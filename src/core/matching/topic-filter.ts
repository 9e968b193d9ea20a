import { BrokerError } from '../../model/errors.ts';
import { describe } from '../../model/describe.ts';
import type { EventMeta } from '../../model/event.ts';
import type { Topics } from '../../model/topics.ts';

/** Topics to keys, as an object: `{ Job: ['web'], Node: ['*'] }`. */
export type TopicKeys<Name extends string = string> = { readonly [K in Name | '*']?: readonly string[] };

/** Every form in which a subscription may name its topics. `'Job'` is short for `'Job:*'`. */
export type TopicsInput<Name extends string = string> =
  | readonly (Name | '*' | `${Name | '*'}:${string}`)[]
  | TopicKeys<Name>
  | TopicFilter;

type Keys = '*' | ReadonlySet<string>;

/**
 * Which events a subscription asked for, by topic and key. Immutable.
 *
 * The terms are a union: an event passes when its topic, or `*`, is asked for with its key, one of its filter keys, or
 * `*`.
 */
export class TopicFilter {
  /** Everything. */
  static readonly all: TopicFilter = new TopicFilter(new Map([['*', '*']]));

  readonly #keysOf: ReadonlyMap<string, Keys>;
  readonly #text: string;

  private constructor(keysOf: ReadonlyMap<string, Keys>) {
    this.#keysOf = keysOf;
    this.#text = this.terms()
      .map(([topic, key]) => escape(`${topic}:${key}`))
      .join(',');
  }

  /**
   * Reads `Topic`, `Topic:key`, `*:key` or `*`. Only the first colon separates: a key may hold more.
   * @throws BrokerError `bad_request` that names the term and what is allowed
   */
  static parse(terms: readonly string[] | string): TopicFilter {
    const list = typeof terms === 'string' ? [terms] : terms;
    return list.length === 0 ? TopicFilter.all : TopicFilter.#of(list.map(parseTerm));
  }

  /** Takes any form that a subscription may use. Nothing given means everything. */
  static from(input: TopicsInput | string | undefined): TopicFilter {
    if (input === undefined) return TopicFilter.all;
    if (typeof input === 'string' || Array.isArray(input))
      return TopicFilter.parse(input as readonly string[] | string);
    if (typeof input !== 'object' || input === null) throw badTopics(input);
    if (input instanceof TopicFilter) return input;
    if (typeof (input as Partial<TopicFilter>).terms === 'function')
      return TopicFilter.#of((input as unknown as TopicFilter).terms());
    return TopicFilter.#of(termsOf(input as TopicKeys));
  }

  static #of(terms: readonly Term[]): TopicFilter {
    return new TopicFilter(absorb(collect(terms)));
  }

  /** The names asked for, `*` among them. */
  get topics(): Iterable<string> {
    return this.#keysOf.keys();
  }

  /** How many terms it has. */
  get size(): number {
    let size = 0;
    for (const keys of this.#keysOf.values()) size += keys === '*' ? 1 : keys.size;
    return size;
  }

  /** True when it passes every event. */
  get isAll(): boolean {
    return this.#keysOf.get('*') === '*';
  }

  /** The shortest list of [topic, key] that says the same, sorted. */
  terms(): readonly (readonly [topic: string, key: string])[] {
    const terms: Term[] = [];
    for (const topic of [...this.#keysOf.keys()].toSorted()) {
      const keys = this.#keysOf.get(topic) ?? [];
      for (const key of keys === '*' ? ['*'] : [...keys].toSorted()) terms.push([topic, key]);
    }
    return terms;
  }

  /**
   * @param event needs no payload
   * @param topics where aliases are declared; without them an event is known by its own topic alone
   */
  matches(event: EventMeta, topics?: Topics): boolean {
    return this.matchesAny(topics?.namesOf(event.topic, event.type) ?? [event.topic], event);
  }

  /** As {@link matches}, where the names of the event are known already. */
  matchesAny(names: readonly string[], event: EventMeta): boolean {
    return this.#passes('*', event) || names.some((name) => this.#passes(name, event));
  }

  /** As {@link matches}, by this one of the event's names. */
  matchesAs(name: string, event: EventMeta): boolean {
    return this.#passes('*', event) || this.#passes(name, event);
  }

  /** Whether all that `other` asks for is asked for here, by the names as they stand: an alias is not its topic. */
  covers(other: TopicFilter): boolean {
    return other.terms().every(([topic, key]) => this.#holds('*', key) || this.#holds(topic, key));
  }

  /** The canonical form: equal for filters that pass the same events. */
  toString(): string {
    return this.#text;
  }

  #holds(topic: string, key: string): boolean {
    const keys = this.#keysOf.get(topic);
    return keys !== undefined && (keys === '*' || keys.has(key));
  }

  #passes(name: string, event: EventMeta): boolean {
    const keys = this.#keysOf.get(name);
    if (keys === undefined) return false;
    return keys === '*' || keys.has(event.key) || event.filterKeys.some((key) => keys.has(key));
  }
}

type Term = readonly [topic: string, key: string];

const allowed = 'allowed: "Topic", "Topic:key", "*:key" or "*"';

function parseTerm(term: unknown): Term {
  if (typeof term !== 'string') throw badTopics(term);
  const colon = term.indexOf(':');
  const topic = colon < 0 ? term : term.slice(0, colon);
  const key = colon < 0 ? '*' : term.slice(colon + 1);
  if (topic === '') throw new BrokerError('bad_request', `topic ${describe(term)} has an empty topic; ${allowed}.`);
  if (key === '') throw new BrokerError('bad_request', `topic ${describe(term)} has an empty key; ${allowed}.`);
  return [topic, key];
}

function termsOf(input: TopicKeys): readonly Term[] {
  const terms = Object.entries(input).flatMap(([topic, keys]) => {
    if (!Array.isArray(keys) || keys.length === 0) {
      throw new BrokerError(
        'bad_request',
        `topics.${topic} must be an array with at least one key; for all keys: ["*"].`,
      );
    }
    return keys.map((key): Term => {
      if (topic === '' || typeof key !== 'string' || key === '') {
        throw new BrokerError('bad_request', `topics.${topic} has an empty topic or key; got ${describe(key)}.`);
      }
      return [topic, key];
    });
  });
  if (terms.length === 0) throw new BrokerError('bad_request', 'topics must not be empty.');
  return terms;
}

function badTopics(value: unknown): BrokerError {
  return new BrokerError(
    'bad_request',
    `topics must be strings, a TopicFilter or an object of keys; got ${describe(value)}; ${allowed}.`,
  );
}

function collect(terms: readonly Term[]): Map<string, '*' | Set<string>> {
  const keysOf = new Map<string, '*' | Set<string>>();
  for (const [topic, key] of terms) {
    const keys = keysOf.get(topic) ?? new Set();
    if (key === '*' || keys === '*') keysOf.set(topic, '*');
    else keysOf.set(topic, keys.add(key));
  }
  return keysOf;
}

/** Drops what a wider term already says, so that filters that pass the same have one form. */
function absorb(keysOf: Map<string, '*' | Set<string>>): Map<string, Keys> {
  const everywhere = keysOf.get('*');
  if (everywhere === undefined) return keysOf;
  if (everywhere === '*') return new Map([['*', '*']]);
  for (const [topic, keys] of keysOf) {
    if (topic === '*' || keys === '*') continue;
    for (const key of everywhere) keys.delete(key);
    if (keys.size === 0) keysOf.delete(topic);
  }
  return keysOf;
}

function escape(term: string): string {
  return term.replaceAll('\\', '\\\\').replaceAll(',', '\\,');
}
