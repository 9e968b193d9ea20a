import type { TopicKeys } from '../core/matching/topic-filter.ts';
import type { Position } from './read-position.ts';
import type { StreamOptions } from './stream-options.ts';
import type { StreamSettings } from './stream-settings.ts';

/**
 * What the stream asks for, over and over: the URL with its filters, without a position.
 * @throws TypeError for an URL, a header or a token that cannot be sent
 */
export function requestUrl(url: string | URL, settings: StreamSettings): URL {
  const { token, topics = [], namespace = [], onGap } = settings;
  const whole = sendable(url, headersWith(typeof token === 'string' ? token : undefined, settings), settings);
  const query = whole.searchParams;
  for (const term of termsOf(topics)) query.append('topic', term);
  for (const name of [namespace].flat()) query.append('namespace', name);
  settings.query?.(query);
  query.set('bookmarks', 'true');
  if (onGap === 'fail') query.set('gap', 'fail');
  return whole;
}

/** One request. */
export interface StreamRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly hasToken: boolean;
}

/** Asks from a position on. @throws TypeError for a token that no header can carry */
export function requestAt(
  { index, epoch, mark }: Position,
  filtered: URL,
  token: string | undefined,
  settings: StreamSettings,
): StreamRequest {
  const headers = headersWith(token, settings);
  const url = sendable(filtered, headers, settings);
  for (const [name, value] of Object.entries({ index, epoch, mark }))
    if (value !== undefined) url.searchParams.set(name, String(value));
  return { url, headers, hasToken: !!token };
}

const headersWith = (token: string | undefined, { headers }: StreamSettings): Record<string, string> => ({
  ...headers,
  ...(token && { 'X-Nomad-Token': token }),
});

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
 * The whole URL, as one of its own, if `fetch` would take it with these headers. The error shows neither, as that of
 * `fetch` would: either may hold a secret.
 * @throws TypeError
 */
function sendable(
  url: string | URL,
  headers: Readonly<Record<string, string>>,
  { checkRequest }: Pick<StreamSettings, 'checkRequest'>,
): URL {
  checkRequest?.(url, headers);
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
  if (Array.isArray(topics)) return topics as readonly string[];
  return Object.entries(topics as TopicKeys).flatMap(([topic, keys = []]) => keys.map((key) => `${topic}:${key}`));
}
