import { retryAfterMs } from './backoff.ts';
import { LineReader } from './line-reader.ts';
import type { Silence } from './silence.ts';
import { StreamError } from './stream-error.ts';
import type { StreamSettings } from './stream-settings.ts';
import type { Wait } from './wait.ts';
import { parseError, parseObject } from './wire.ts';

/**
 * One request and the lines of its answer. Reads from the network only when a line is asked for and none is at hand.
 */
export class Connection {
  readonly #settings: StreamSettings;
  readonly #wait: Wait;
  readonly #abort = new AbortController();
  #lines: LineReader;
  #body: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | undefined;
  #deadAfterMs: number;
  /** From the answer of 200 to its first byte, where a part minds it. */
  #silence: Silence | undefined;

  constructor(settings: StreamSettings, wait: Wait) {
    this.#settings = settings;
    this.#wait = wait;
    this.#lines = new LineReader(settings.maxLineBytes);
    this.#deadAfterMs = settings.deadAfterMs(settings.heartbeatMs);
  }

  /**
   * Resolves with the server's epoch, if a header names it, when it answers 200.
   * @throws StreamError of any other answer, and when there is none; TypeError when nobody could read the body
   */
  async open(url: URL, headers: Readonly<Record<string, string>>, hasToken: boolean): Promise<string | undefined> {
    const { clock, credentials, fetch, maxLineBytes, parts } = this.#settings;
    const { signal } = this.#abort;
    // A token goes to the server that it was meant for, not wherever that one points: fetch would send it along.
    const redirect = hasToken ? 'manual' : 'follow';
    // Left out where it was not given: some runtimes know no credentials, and refuse the name.
    const init = { headers, signal, redirect, cache: 'no-store', ...(credentials && { credentials }) } as const;
    const response = await this.#network(() => fetch(url, init), this.#deadAfterMs);
    const isOk = response.status === 200;
    if (isOk && (!response.body || response.bodyUsed || response.body.locked))
      throw new TypeError('The body of the answer cannot be read: fetch gives none, or it is read elsewhere.');
    this.#body = response.body?.getReader();
    if (!isOk) throw await this.#refusal(response);
    const { nomad, serverSentEvents } = parts;
    this.#silence = (serverSentEvents ?? nomad)?.silence(clock, response);
    this.#lines = serverSentEvents?.lines(response, maxLineBytes) ?? this.#lines;
    return response.headers.get('X-Fenceline-Epoch') ?? undefined;
  }

  /** The server answered 200, and then nothing at all for long. */
  get isSilent(): boolean {
    return !!this.#silence?.isLong;
  }

  /** Takes the server at its word, where the caller said nothing. */
  beatsEvery(heartbeatMs: number): void {
    this.#deadAfterMs = this.#settings.deadAfterMs(heartbeatMs);
  }

  /**
   * The next line that is not blank, of ndjson; server-sent events are translated. An unfinished last line is dropped:
   * the next connection brings it whole.
   * @throws StreamError `network`, `timeout`, `malformed`, `line_too_long`
   */
  async line(): Promise<string> {
    for (;;) {
      const line = this.#lines.next();
      if (line?.trim()) return line;
      if (line === undefined) await this.#read();
    }
  }

  /** Frees the socket, whatever the connection was doing. */
  close(): void {
    this.#abort.abort();
    // What is cancelled may be broken already, and says so here once more.
    this.#body?.cancel().catch((error: unknown) => error);
  }

  async #read(): Promise<void> {
    const limitMs = this.#silence?.limitMs(this.#deadAfterMs) ?? this.#deadAfterMs;
    const chunk = (await this.#network(async () => this.#body?.read(), limitMs))?.value;
    if (!chunk) throw new StreamError('network', 'The connection ended.', 'resume');
    if (chunk.length) this.#silence = undefined;
    this.#lines.push(chunk);
  }

  async #network<T>(work: () => Promise<T>, limitMs: number): Promise<T> {
    try {
      return await this.#wait.for((async () => work())(), limitMs);
    } catch (cause) {
      throw StreamError.is(cause) ? cause : new StreamError('network', 'The connection failed.', 'resume', { cause });
    }
  }

  /** The error object in the body, else what the status says. */
  async #refusal({ status, headers }: Response): Promise<StreamError> {
    const text = await this.#text();
    const options = { status, retryAfterMs: retryAfterMs(headers.get('Retry-After'), this.#settings.clock.now()) };
    const isDenied = status === 401 || status === 403;
    const heals = status >= 500 || [408, 425, 429].includes(status);
    const retry = isDenied ? 'resubscribe' : heals ? 'resume' : 'never';
    const said = parseError(parseObject(text), retry, options);
    if (said) return said;
    const message = `The server answered ${status}: ${text.slice(0, 200)}`;
    return new StreamError(isDenied ? 'permission_denied' : 'http_status', message, retry, options);
  }

  /** The first line of a refusal, whether or not a newline ends it; '' when it cannot be had. */
  async #text(): Promise<string> {
    try {
      return await this.line();
    } catch {
      return this.#lines.rest();
    }
  }
}
