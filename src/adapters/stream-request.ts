import { BrokerError } from '../model/errors.ts';
import { describe } from '../model/describe.ts';

/** What a client asks of the stream endpoint, in the terms of `broker.subscribe`. */
export interface StreamRequest {
  readonly topics: readonly string[];
  /** Left out where none is named: the broker says which counts then. */
  readonly namespace?: readonly string[];
  readonly index: number | 'latest';
  readonly state?: true;
  /** With `state`: which one it is that goes on here. */
  readonly mark?: string;
  readonly epoch?: string;
  /** The id that a browser's polyfill, or a client of Mercure, puts into the query since it cannot set the header. */
  readonly lastEventId?: string;
  readonly onGap: 'continue' | 'fail';
  readonly bookmarks: boolean;
}

/** More parameters than this in one request are refused. */
const MAX_PARAMETERS = 1000;

/**
 * Reads the query of a request for a stream. PROTOCOL.md lists the parameters. Others are ignored: Nomad's clients send
 * some of their own.
 * @param url path and query, as in a request line, or a whole URL
 * @throws BrokerError `bad_request` that names the parameter and what is allowed
 */
export function parseStreamRequest(url: string): StreamRequest {
  const query = new Query(url);
  const [epoch, lastEventId] = [query.single('epoch'), query.oneOf(lastEventIdNames)];
  const namespace = query.all('namespace').filter((name) => name !== '');
  const mark = query.single('mark');
  return {
    topics: query.all('topic'),
    ...(namespace.length > 0 ? { namespace } : {}),
    index: parseIndex(query.single('index')),
    ...(query.choice('state', ['false', 'true']) === 'true' ? { state: true } : {}),
    ...(mark ? { mark } : {}),
    ...(epoch ? { epoch } : {}),
    ...(lastEventId ? { lastEventId } : {}),
    onGap: query.choice('gap', ['continue', 'fail']),
    bookmarks: query.choice('bookmarks', ['false', 'true']) === 'true',
  };
}

/** What clients call it: polyfills of EventSource, and Mercure, which says it in both ways. */
const lastEventIdNames = ['lastEventId', 'last-event-id', 'Last-Event-ID', 'lastEventID'] as const;

class Query {
  readonly #values = new Map<string, string[]>();

  constructor(url: string) {
    const [target = ''] = url.split('#', 1);
    const start = target.indexOf('?');
    const text = start < 0 ? '' : target.slice(start + 1);
    const pairs = text.split('&').filter((pair) => pair !== '');
    if (pairs.length > MAX_PARAMETERS)
      throw bad(`The query has ${pairs.length} parameters; at most ${MAX_PARAMETERS} are allowed.`);
    for (const pair of pairs) this.#add(pair);
  }

  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** @throws BrokerError `bad_request` when it stands more than once */
  single(name: string): string | undefined {
    const values = this.all(name);
    if (values.length > 1) throw bad(`Parameter ${name} is given ${values.length} times; it may stand once.`);
    return values[0];
  }

  /** The one of several names for one parameter that stands there. */
  oneOf(names: readonly string[]): string | undefined {
    return names.map((name) => this.single(name)).find((value) => value !== undefined);
  }

  /** One of the allowed values; the first is the default. */
  choice<const V extends string>(name: string, allowed: readonly [V, ...V[]]): V {
    const value = this.single(name) ?? allowed[0];
    const found = allowed.find((one) => one === value);
    if (found === undefined) throw bad(`Parameter ${name} must be ${allowed.join(' or ')}; got ${describe(value)}.`);
    return found;
  }

  #add(pair: string): void {
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1));
    const values = this.#values.get(name) ?? [];
    values.push(value);
    this.#values.set(name, values);
  }
}

/** Empty is as absent, as in Nomad. More than any index can be is what people write for "from now on". */
function parseIndex(text: string | undefined): number | 'latest' {
  if (!text) return 0;
  if (text === 'latest') return 'latest';
  if (!/^\d{1,30}$/.test(text))
    throw bad(
      `Parameter index must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}, or "latest"; ` +
        `got ${describe(text)}.`,
    );
  const index = Number(text);
  return Number.isSafeInteger(index) ? index : 'latest';
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw bad(`The query holds a malformed percent-escape: ${describe(text)}.`);
  }
}

const bad = (message: string) => new BrokerError('bad_request', message);
