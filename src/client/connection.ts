import { retryAfterMs } from './backoff.ts';
import { LineReader } from './line-reader.ts';
import { StreamError } from './stream-error.ts';
import type { StreamSettings } from './stream-settings.ts';
import type { Wait } from './wait.ts';
import type { WatchedLines } from './watched-lines.ts';
import { parseError, parseObject } from './wire.ts';

/**
 * One request and the lines of its answer. Reads from the network only when a line is asked for and none is at hand.
 */
export class Connection {
  readonly #settings: StreamSettings;
  readonly #wait: Wait;
  readonly #abort = new AbortController();
  #lines: LineReader & Partial<Pick<WatchedLines, 'isSilent' | 'limitMs'>>;
  #body: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | undefined;
  #deadAfterMs: number;

  constructor(settings: StreamSettings, wait: Wait) {
    this.#settings = settings;
    this.#wait = wait;
    this.#lines = new LineReader(settings.maxLineBytes);
    this.#deadAfterMs = settings.deadAfterMs();
  }

  /**
   * Resolves with the server's epoch, if a header names it, when it answers 200.
   * @throws StreamError of any other answer, and when there is none; TypeError when nobody could read the body
   */
  async open(url: URL, headers: Readonly<Record<string, string>>, hasToken: boolean): Promise<string | undefined> {
    const { credentials, fetch = globalThis.fetch, parts } = this.#settings;
    const { signal } = this.#abort;
    // A token goes to the server that it was meant for, not wherever that one points: fetch would send it along.
    const redirect = hasToken ? 'manual' : 'follow';
    // Left out where it was not given: some runtimes know no credentials, and refuse the name.
    const init = { headers, signal, redirect, cache: 'no-store', ...(credentials && { credentials }) } as const;
    const response = await this.#wait.for(() => fetch(url, init), this.#deadAfterMs);
    const isOk = response.status === 200;
    if (isOk && (!response.body || response.bodyUsed)) throw new TypeError('The answer has no body to read.');
    // Throws a TypeError too, where the body is read elsewhere.
    this.#body = response.body?.getReader();
    if (!isOk) throw await this.#refusal(response);
    this.#lines = (parts.serverSentEvents ?? parts.nomad)?.lines(response, this.#settings) ?? this.#lines;
    return response.headers.get('X-Fenceline-Epoch') ?? undefined;
  }

  /** The server answered 200, and then nothing at all for long: where a part minds that. */
  get isSilent(): boolean {
    return !!this.#lines.isSilent;
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
    const limitMs = this.#lines.limitMs?.(this.#deadAfterMs) ?? this.#deadAfterMs;
    const chunk = (await this.#wait.for(() => this.#body?.read(), limitMs))?.value;
    if (!chunk) throw new StreamError('network', 'The connection ended.', 'resume');
    this.#lines.push(chunk);
  }

  /** The error object in the body, else what the status says. */
  async #refusal({ status, headers }: Response): Promise<StreamError> {
    // The first line of the body, whether or not a newline ends it; '' when it cannot be had.
    const text = await this.line().catch(() => this.#lines.rest());
    const options = { status, retryAfterMs: retryAfterMs(headers.get('Retry-After'), this.#settings.clock.now()) };
    const isDenied = status === 401 || status === 403;
    const heals = status >= 500 || [408, 425, 429].includes(status);
    const retry = isDenied ? 'resubscribe' : heals ? 'resume' : 'never';
    const said = parseError(parseObject(text), retry, options);
    if (said) return said;
    const message = `The server answered ${status}: ${text.slice(0, 200)}`;
    return new StreamError(isDenied ? 'permission_denied' : 'http_status', message, retry, options);
  }
}
