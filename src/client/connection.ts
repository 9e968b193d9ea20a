import { retryAfterMs } from './backoff.ts';
import { type LineReader, lineReader } from './line-reader.ts';
import { StreamError } from './stream-error.ts';
import type { StreamRequest } from './stream-request.ts';
import type { Answer, BodyReader, StreamSettings } from './stream-settings.ts';
import type { Wait } from './wait.ts';
import { parseError, parseObject } from './wire.ts';

/**
 * The lines of an answer that are not blank. It is read from the network only while one is asked for. An unfinished
 * last line is dropped: the next connection brings it whole.
 */
export type Lines = AsyncGenerator<string, never>;

/** An answer of 200. */
export interface Connection {
  /** The server's epoch, if a header names it. */
  readonly epoch: string | undefined;
  readonly lines: Lines;
}

/**
 * Asks the server. Aborting the signal frees the socket, whatever the connection is doing. The lines throw a
 * StreamError `network`, `timeout`, `malformed` or `line_too_long`.
 * @throws StreamError of any answer other than 200, and when there is none; TypeError when nobody could read the body
 */
export async function connect(
  { url, headers, hasToken }: StreamRequest,
  signal: AbortSignal,
  settings: StreamSettings,
  wait: Wait,
): Promise<Connection> {
  const { credentials, fetch = globalThis.fetch, maxLineBytes, clock } = settings;
  // A token goes to the server that it was meant for, not wherever that one points: fetch would send it along.
  const redirect = hasToken ? 'manual' : 'follow';
  // Left out where it was not given: some runtimes know no credentials, and refuse the name.
  const init = { headers, signal, redirect, cache: 'no-store', ...(credentials && { credentials }) } as const;
  const answer = await wait.for(() => fetch(url, init));
  const isOk = answer.status === 200;
  if (isOk && (!answer.body || answer.bodyUsed)) throw new TypeError('The answer has no body to read.');
  // Throws a TypeError too, where the body is read elsewhere.
  const body = answer.body?.getReader();
  // What is cancelled may be broken already, and says so here once more.
  signal.addEventListener('abort', () => void body?.cancel().catch((error: unknown) => error));
  const reader = lineReader(maxLineBytes);
  const lines = linesOf(body, reader, wait);
  if (isOk) return { epoch: answer.headers.get('X-Fenceline-Epoch') ?? undefined, lines };
  // The first line of the body, whether or not a newline ends it; '' when it cannot be had.
  const text = await lines.next().then(
    ({ value }) => value,
    () => reader.rest(),
  );
  throw refusal(answer, text, clock.now());
}

async function* linesOf(body: BodyReader | undefined, reader: LineReader, wait: Wait): Lines {
  for (;;) {
    const chunk = (await wait.for(() => body?.read()))?.value;
    if (!chunk) throw new StreamError('network', 'The connection ended.', 'resume');
    for (const line of reader.lines(chunk)) if (line.trim()) yield line;
  }
}

/** The error object in the body, else what the status says. */
function refusal({ status, headers }: Answer, text: string, now: number): StreamError {
  const options = { status, retryAfterMs: retryAfterMs(headers.get('Retry-After'), now) };
  const isDenied = status === 401 || status === 403;
  const heals = status >= 500 || [408, 425, 429].includes(status);
  const retry = isDenied ? 'resubscribe' : heals ? 'resume' : 'never';
  const said = parseError(parseObject(text), retry, options);
  if (said) return said;
  const message = `The server answered ${status}: ${text.slice(0, 200)}`;
  return new StreamError(isDenied ? 'permission_denied' : 'http_status', message, retry, options);
}
