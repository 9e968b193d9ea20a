import type { Position } from './read-position.ts';
import type { StreamOptions } from './stream-options.ts';

/** What the stream asks for, over and over, from another position each time. */
export class StreamRequest {
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>> | undefined;

  /** @throws TypeError for an URL or option that no server could answer */
  constructor(url: string | URL, options: StreamOptions) {
    this.#headers = options.headers;
    this.#url = new URL(url, (globalThis as { readonly location?: { readonly href: string } }).location?.href);
    if (!/^https?:$/.test(this.#url.protocol) || this.#url.username || this.#url.password) {
      throw new TypeError('The URL must be http or https, without user name and password.');
    }
    const query = this.#url.searchParams;
    for (const term of termsOf(options.topics ?? [])) query.append('topic', term);
    for (const namespace of [options.namespace ?? []].flat()) query.append('namespace', namespace);
    query.set('bookmarks', 'true');
    if (options.onGap === 'fail') query.set('gap', 'fail');
  }

  url({ index, epoch }: Position): URL {
    const url = new URL(this.#url);
    url.searchParams.set('index', String(index));
    if (epoch !== undefined) url.searchParams.set('epoch', epoch);
    return url;
  }

  /** @throws TypeError, without its text, for a token that no header can carry: `fetch` would print it */
  headers(token: string | undefined): Record<string, string> {
    if (!token) return { ...this.#headers };
    if (!/^[\x21-\x7e]+$/.test(token)) throw new TypeError('The token has characters that no header can carry.');
    return { ...this.#headers, 'X-Nomad-Token': token };
  }
}

function termsOf(topics: NonNullable<StreamOptions['topics']>): readonly string[] {
  if (isList(topics)) return topics;
  const keysOf = Object.entries(topics);
  if (keysOf.length === 0 || keysOf.some(([, keys]) => !keys?.length)) {
    throw new TypeError('Each of topics must have a key; for all keys: ["*"].');
  }
  return keysOf.flatMap(([topic, keys = []]) => keys.map((key) => `${topic}:${key}`));
}

const isList = (topics: NonNullable<StreamOptions['topics']>): topics is readonly string[] => Array.isArray(topics);
