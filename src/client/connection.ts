import { retryAfterMs } from './backoff.ts';
import { LineReader } from './line-reader.ts';
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
  readonly #lines: LineReader;
  #body: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | undefined;

  constructor(settings: StreamSettings, wait: Wait) {
    this.#settings = settings;
    this.#wait = wait;
    this.#lines = new LineReader(settings.maxLineBytes);
  }

  /**
   * Resolves with the server's epoch when it answers 200.
   * @throws StreamError of any other answer, and when there is none
   */
  async open(url: URL, headers: Readonly<Record<string, string>>, hasToken: boolean): Promise<string | undefined> {
    const { fetch } = this.#settings;
    const { signal } = this.#abort;
    // A token goes to the server that it was meant for, not wherever that one points: fetch would send it along.
    const redirect = hasToken ? 'manual' : 'follow';
    const response = await this.#network(() => fetch(url, { headers, signal, redirect, cache: 'no-store' }));
    this.#body = response.body?.getReader();
    if (response.status !== 200) throw await this.#refusal(response);
    return response.headers.get('X-Fenceline-Epoch') ?? undefined;
  }

  /**
   * The next line that is not blank. An unfinished last line is dropped: the next connection brings it whole.
   * @throws StreamError `network`, `timeout`, `malformed`, `line_too_long`
   */
  async line(): Promise<string> {
    for (;;) {
      const line = this.#lines.next();
      if (line?.trim()) return line;
      if (line === undefined && !(await this.#read())) {
        throw new StreamError('network', 'The connection ended.', 'resume');
      }
    }
  }

  /** Frees the socket, whatever the connection was doing. */
  close(): void {
    this.#abort.abort();
    // What is cancelled may be broken already, and says so here once more.
    this.#body?.cancel().catch((error: unknown) => error);
  }

  async #read(): Promise<boolean> {
    const result = await this.#network(async () => this.#body?.read());
    if (result?.value) this.#lines.push(result.value);
    return result?.value !== undefined;
  }

  async #network<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.#wait.for((async () => work())(), this.#settings.deadAfterMs);
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
