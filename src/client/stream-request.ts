import type { Position } from './read-position.ts';
import type { StreamOptions } from './stream-options.ts';
import type { OptionChecks } from './stream-parts.ts';
import type { StreamSettings } from './stream-settings.ts';

/** What the stream asks for, over and over, from another position each time. */
export class StreamRequest {
  readonly #settings: StreamSettings;
  readonly #url: URL;
  /** Asks for server-sent events rather than ndjson. */
  isEvents = false;

  /** @throws TypeError for an URL, a header or a token that cannot be sent */
  constructor(url: string | URL, settings: StreamSettings) {
    this.#settings = settings;
    const { token, topics = [], namespace = [], onGap, state, parts } = settings;
    this.#url = sendable(url, this.#headers(typeof token === 'string' ? token : undefined), parts.checks);
    const query = this.query;
    for (const term of termsOf(topics)) query.append('topic', term);
    for (const name of [namespace].flat()) query.append('namespace', name);
    parts.nomad?.widen(query);
    query.set('bookmarks', 'true');
    if (state) query.set('state', 'true');
    if (onGap === 'fail') query.set('gap', 'fail');
  }

  get query(): URLSearchParams {
    return this.#url.searchParams;
  }

  /** The URL without a position. */
  get text(): string {
    return this.#url.href;
  }

  url({ index, epoch, mark }: Position): URL {
    const url = new URL(this.#url);
    for (const [name, value] of Object.entries({ index, epoch, mark }))
      if (value !== undefined) url.searchParams.set(name, String(value));
    return url;
  }

  /** @throws TypeError for a token that no header can carry */
  headers(token: string | undefined): Record<string, string> {
    const headers = this.#headers(token);
    sendable(this.#url, headers, this.#settings.parts.checks);
    return headers;
  }

  #headers(token: string | undefined): Record<string, string> {
    return {
      ...(this.isEvents && { Accept: 'text/event-stream' }),
      ...this.#settings.headers,
      ...(token && { 'X-Nomad-Token': token }),
    };
  }
}

/** What of a page says where it is; a worker has a location alone, a server neither. */
interface Page {
  readonly document?: { readonly baseURI: string };
  readonly location?: { readonly href: string };
}

/** The URL, which may be relative in a page. @throws TypeError, which may show the URL */
export function absolute(url: string | URL): URL {
  const { document, location } = globalThis as Page;
  return new URL(url, document?.baseURI ?? location?.href);
}

/**
 * The whole URL, if `fetch` would take it with these headers. The error shows neither, as that of `fetch` would: either
 * may hold a secret.
 */
function sendable(url: string | URL, headers: Readonly<Record<string, string>>, checks?: OptionChecks): URL {
  checks?.request(url, headers);
  try {
    const whole = absolute(url);
    void new Headers(headers);
    if (/^https?:$/.test(whole.protocol) && !whole.username && !whole.password) return whole;
  } catch {
    // Said below, without what it shows.
  }
  throw new TypeError('The URL, a header or the token cannot be sent.');
}

function termsOf(topics: NonNullable<StreamOptions['topics']>): readonly string[] {
  if (isList(topics)) return topics;
  return Object.entries(topics).flatMap(([topic, keys = []]) => keys.map((key) => `${topic}:${key}`));
}

const isList = (topics: NonNullable<StreamOptions['topics']>): topics is readonly string[] => Array.isArray(topics);
