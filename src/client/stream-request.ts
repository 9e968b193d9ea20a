import { describe } from '../model/describe.ts';
import type { Position } from './read-position.ts';
import type { StreamOptions } from './stream-options.ts';

/** What the stream asks for, over and over, from another position each time. */
export class StreamRequest {
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>>;
  /** Asks for server-sent events rather than ndjson. */
  #isSse = false;

  /** @throws TypeError for an URL or option that no server could answer */
  constructor(url: string | URL, options: StreamOptions) {
    this.#headers = { ...options.headers };
    for (const [name, value] of Object.entries(this.#headers)) checkHeader(name, value);
    if (typeof options.token === 'string') checkToken(options.token);
    this.#url = new URL(url, (globalThis as { readonly location?: { readonly href: string } }).location?.href);
    if (!/^https?:$/.test(this.#url.protocol) || this.#url.username || this.#url.password) {
      throw new TypeError('The URL must be http or https, without user name and password.');
    }
    const query = this.#url.searchParams;
    for (const term of widest(termsOf(options.topics ?? []))) query.append('topic', term);
    for (const namespace of widestNames([options.namespace ?? []].flat())) query.append('namespace', namespace);
    query.set('bookmarks', 'true');
    if (options.state) query.set('state', 'true');
    if (options.onGap === 'fail') query.set('gap', 'fail');
  }

  /** Nomad takes the first of several, and tells nobody. */
  get hasSeveralNamespaces(): boolean {
    return this.#url.searchParams.getAll('namespace').length > 1;
  }

  /**
   * Asks for the other format from now on: some proxies let nothing through but `text/event-stream` until it is
   * complete.
   */
  switchFormat(): void {
    this.#isSse = !this.#isSse;
  }

  /** The state is asked for, which Nomad does not know. */
  get isState(): boolean {
    return this.#url.searchParams.get('state') === 'true';
  }

  url({ index, epoch, mark }: Position): URL {
    const url = new URL(this.#url);
    url.searchParams.set('index', String(index));
    if (epoch !== undefined) url.searchParams.set('epoch', epoch);
    if (mark !== undefined && this.isState) url.searchParams.set('mark', mark);
    return url;
  }

  /** @throws TypeError for a token that no header can carry */
  headers(token: string | undefined): Record<string, string> {
    checkToken(token);
    return {
      ...(this.#isSse && { Accept: 'text/event-stream' }),
      ...this.#headers,
      ...(token && { 'X-Nomad-Token': token }),
    };
  }
}

/** The error does not show the text, which may be a secret; that of `fetch` does. */
function checkHeader(name: string, value: string): void {
  try {
    new Headers().set(name, value);
  } catch {
    throw new TypeError(`No header can carry the name or the value of headers[${describe(name)}].`);
  }
}

function checkToken(token: string | undefined): void {
  if (token && !/^[\x21-\x7e]+$/.test(token)) throw new TypeError('The token has characters that no header can carry.');
}

function termsOf(topics: NonNullable<StreamOptions['topics']>): readonly string[] {
  if (typeof topics !== 'object') throw badTopics(topics);
  if (isList(topics)) return topics;
  const keysOf = Object.entries(topics);
  if (keysOf.length === 0 || keysOf.some(([, keys]) => !Array.isArray(keys) || keys.length === 0)) {
    throw new TypeError('Each of topics must have a list of keys; for all keys: ["*"].');
  }
  return keysOf.flatMap(([topic, keys = []]) => keys.map((key) => `${topic}:${key}`));
}

const isList = (topics: NonNullable<StreamOptions['topics']>): topics is readonly string[] => Array.isArray(topics);

const badTopics = (value: unknown): TypeError =>
  new TypeError(
    `topics must be a list such as ["Job:web"], or an object such as {Job: ["web"]}; got ${describe(value)}.`,
  );

/**
 * Leaves out each term that a wider one covers. A fenceline server would take all for their union; Nomad takes the star
 * in `Job:*` for a key where another term names a key of `Job`, and sends an event once for each term that it passes.
 */
function widest(terms: readonly string[]): readonly string[] {
  const known = new Map<string, string>();
  for (const term of terms) {
    if (typeof term !== 'string') throw badTopics(term);
    const whole = term.includes(':') ? term : `${term}:*`;
    if (!known.has(whole)) known.set(whole, term);
  }
  const isCovered = (whole: string): boolean => {
    const colon = whole.indexOf(':');
    const wider = ['*:*', `${whole.slice(0, colon)}:*`, `*${whole.slice(colon)}`];
    return wider.some((other) => other !== whole && known.has(other));
  };
  return [...known].flatMap(([whole, term]) => (isCovered(whole) ? [] : [term]));
}

const widestNames = (names: readonly string[]): Iterable<string> => (names.includes('*') ? ['*'] : new Set(names));
