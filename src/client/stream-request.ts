import type { Position } from './read-position.ts';
import type { StreamOptions } from './stream-options.ts';
import type { StreamSettings } from './stream-settings.ts';

/** What the stream asks for, over and over, from another position each time. */
export class StreamRequest {
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #isState: boolean;
  /** How many namespaces are asked for. */
  readonly namespaces: number;
  /** Asks for server-sent events rather than ndjson. */
  isEvents = false;

  /** @throws TypeError for an URL, a header or a token that cannot be sent */
  constructor(url: string | URL, { headers, token, topics = [], namespace = [], ...settings }: StreamSettings) {
    this.#headers = { ...headers };
    for (const [name, value] of Object.entries(this.#headers)) checkHeader(name, value);
    if (typeof token === 'string') checkToken(token);
    this.#url = absolute(url);
    this.#isState = !!settings.state;
    const asked = [termsOf(topics), [namespace].flat()] as const;
    const [terms, namespaces] = settings.parts.nomad?.widest(...asked) ?? asked;
    this.namespaces = namespaces.length;
    const query = this.#url.searchParams;
    for (const term of terms) query.append('topic', term);
    for (const name of namespaces) query.append('namespace', name);
    query.set('bookmarks', 'true');
    if (this.#isState) query.set('state', 'true');
    if (settings.onGap === 'fail') query.set('gap', 'fail');
  }

  /** The URL without a position. */
  get text(): string {
    return this.#url.href;
  }

  url({ index, epoch, mark }: Position): URL {
    const url = new URL(this.#url);
    url.searchParams.set('index', String(index));
    if (epoch !== undefined) url.searchParams.set('epoch', epoch);
    if (mark !== undefined && this.#isState) url.searchParams.set('mark', mark);
    return url;
  }

  /** @throws TypeError for a token that no header can carry */
  headers(token: string | undefined): Record<string, string> {
    checkToken(token);
    return {
      ...(this.isEvents && { Accept: 'text/event-stream' }),
      ...this.#headers,
      ...(token && { 'X-Nomad-Token': token }),
    };
  }
}

/** What of a page says where it is; a worker has a location alone, a server neither. */
interface Page {
  readonly document?: { readonly baseURI: string };
  readonly location?: { readonly href: string };
}

/** The error does not show the URL, which may hold a password. */
function absolute(url: string | URL): URL {
  const { document, location } = globalThis as Page;
  let whole: URL | undefined;
  try {
    whole = new URL(url, document?.baseURI ?? location?.href);
  } catch {
    // Said below, without the text of the URL.
  }
  if (!whole || !/^https?:$/.test(whole.protocol) || whole.username || whole.password)
    throw new TypeError(
      'The URL must be http or https, without user name and password; a relative one needs a page to be relative to.',
    );
  return whole;
}

/** The error does not show the text, which may be a secret; that of `fetch` does. */
function checkHeader(name: string, value: string): void {
  try {
    new Headers().set(name, value);
  } catch {
    throw new TypeError(`No header can carry the name or the value of headers[${JSON.stringify(name)}].`);
  }
}

function checkToken(token: string | undefined): void {
  if (token && !/^[\x21-\x7e]+$/.test(token)) throw new TypeError('The token has characters that no header can carry.');
}

function termsOf(topics: NonNullable<StreamOptions['topics']>): readonly string[] {
  if (isList(topics)) return topics;
  return Object.entries(topics).flatMap(([topic, keys = []]) => keys.map((key) => `${topic}:${key}`));
}

const isList = (topics: NonNullable<StreamOptions['topics']>): topics is readonly string[] => Array.isArray(topics);
