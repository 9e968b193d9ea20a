import { FirstByte, withBody } from './first-byte.ts';
import { NamelessPosition } from './nameless-position.ts';
import { StreamError } from './stream-error.ts';
import type { StreamPart } from './stream-features.ts';
import type { ExtendingPart } from './stream-parts.ts';
import type { StreamSettings } from './stream-settings.ts';

const part: ExtendingPart<'nomad'> = {
  part: 'nomad',
  extend(settings, stream, { state }) {
    let asked = new URLSearchParams();
    const { query } = settings;
    settings.query = (all) => {
      query?.(all);
      widen(all);
      asked = all;
    };
    // Nomad keeps none.
    if (!state)
      settings.positionAt = (place) => new NamelessPosition(place, asked, () => stream.state.name !== 'closed');
    settings.fetch = noticingDenials(settings);
  },
};

/** Reads Nomad's own servers too. See {@link StreamFeatures}. */
export const nomad: StreamPart<'nomad'> = part;

/**
 * A 200 without a byte, and a cut 20 to 70 s later, is how Nomad (since 1.11.2) denies a token. A server that names its
 * epoch denies with a status.
 */
function noticingDenials({ fetch, clock }: StreamSettings): NonNullable<StreamSettings['fetch']> {
  return async (url, init) => {
    const answer = await (fetch ?? globalThis.fetch)(url, init);
    const { status, headers } = answer;
    if (status !== 200 || headers.has('X-Fenceline-Epoch') || url.searchParams.has('epoch')) return answer;
    return withBody(answer, (body) => new FirstByte(body, { clock, signal: init.signal, atEnd: denial }));
  };
}

/** Not where another part has said what it means. */
function denial(cause: unknown): StreamError | undefined {
  if (StreamError.is(cause)) return undefined;
  const message = 'The server answered 200 and then nothing, as Nomad does where it denies a token.';
  return new StreamError('permission_denied', message, 'resubscribe', { cause });
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
