import { NamelessPosition } from './nameless-position.ts';
import type { ReadPosition } from './read-position.ts';
import { StreamError } from './stream-error.ts';
import type { StreamPart } from './stream-features.ts';
import type { NomadSupport } from './stream-parts.ts';
import { WatchedLines } from './watched-lines.ts';

const support: NomadSupport = {
  part: 'nomad',
  lines: (response, settings) => new WatchedLines(response, settings),
  widen,
  position: (place, query) => new NamelessPosition(place, query),
  after,
};

/** Reads Nomad's own servers too. See {@link StreamFeatures}. */
export const nomad: StreamPart<'nomad'> = support;

/**
 * A 200 without a byte, and a cut 20 to 70 s later, is how Nomad (since 1.11.2) denies a token. A server that names its
 * epoch denies with a status.
 */
function after(
  error: unknown,
  { isSilent }: { readonly isSilent: boolean },
  { isNameless, next }: ReadPosition,
): StreamError | undefined {
  const isDenied = isSilent && isNameless && next.epoch === undefined;
  if (!isDenied || !StreamError.is(error) || error.code !== 'network') return undefined;
  const message = 'The server answered 200 and then nothing, as Nomad does where it denies a token.';
  return new StreamError('permission_denied', message, 'resubscribe', { cause: error });
}

function widen(query: URLSearchParams): void {
  const namespaces = query.getAll('namespace');
  replace(query, 'topic', widestTerms(query.getAll('topic')));
  replace(query, 'namespace', namespaces.includes('*') ? ['*'] : [...new Set(namespaces)]);
}

function replace(query: URLSearchParams, name: string, values: readonly string[]): void {
  query.delete(name);
  for (const value of values) query.append(name, value);
}

/**
 * Leaves out each term that a wider one covers. A fenceline server would take all for their union; Nomad takes the star
 * in `Job:*` for a key where another term names a key of `Job`, and sends an event once for each term that it passes.
 */
function widestTerms(terms: readonly string[]): readonly string[] {
  const known = new Map<string, string>();
  for (const term of terms) {
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
