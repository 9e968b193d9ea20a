/** One accepted request, and the body that answers it. */
export class FakeConnection {
  readonly #signal: AbortSignal;
  readonly #encoder = new TextEncoder();
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  isCancelled = false;
  /** How many chunks the reader has asked for. */
  pulls = 0;
  readonly body: ReadableStream<Uint8Array>;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    const source: UnderlyingDefaultSource<Uint8Array> = {
      start: (controller) => void (this.#controller = controller),
      pull: () => void this.pulls++,
      cancel: () => void (this.isCancelled = true),
    };
    this.body = new ReadableStream(source, { highWaterMark: 0 });
  }

  /** The client has let go of it. */
  get isFreed(): boolean {
    return this.#signal.aborted || this.isCancelled;
  }

  /** Objects become lines; strings are sent as they are. */
  send(...parts: readonly unknown[]): this {
    const text = parts.map((part) => (typeof part === 'string' ? part : `${JSON.stringify(part)}\n`)).join('');
    this.#controller?.enqueue(this.#encoder.encode(text));
    return this;
  }

  end(): void {
    this.#controller?.close();
  }

  cut(): void {
    this.#controller?.error(new TypeError('terminated'));
  }
}

export interface FakeRequest {
  readonly url: URL;
  readonly query: URLSearchParams;
  readonly headers: Headers;
  readonly redirect: string | undefined;
  readonly credentials: string | undefined;
}

type Answer = (connection: FakeConnection) => Response | Promise<Response>;

/** Stands in for `fetch`: gives the answers in the order in which they were added, the last one again and again. */
export class FakeServer {
  readonly requests: FakeRequest[] = [];
  readonly connections: FakeConnection[] = [];
  readonly #answers: Answer[] = [];

  /** A stream that sends these parts and stays open. */
  stream(parts: readonly unknown[] = [{}], epoch?: string): this {
    const headers = epoch === undefined ? {} : { 'X-Fenceline-Epoch': epoch };
    return this.answer((connection) => new Response(connection.send(...parts).body, { headers }));
  }

  /** A stream that sends these parts and ends. */
  ending(parts: readonly unknown[], epoch?: string): this {
    const headers = epoch === undefined ? {} : { 'X-Fenceline-Epoch': epoch };
    return this.answer((connection) => {
      connection.send(...parts).end();
      return new Response(connection.body, { headers });
    });
  }

  refusal(status: number, body: unknown = 'no', headers: Record<string, string> = {}): this {
    return this.answer(() => new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers }));
  }

  answer(answer: Answer): this {
    this.#answers.push(answer);
    return this;
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const headers = new Headers(init?.headers);
    const { redirect, credentials } = init ?? {};
    this.requests.push({ url, query: url.searchParams, headers, redirect, credentials });
    const connection = new FakeConnection(init?.signal ?? new AbortController().signal);
    this.connections.push(connection);
    const answer = this.#answers.length > 1 ? this.#answers.shift() : this.#answers[0];
    if (!answer) throw new TypeError('fetch failed');
    return answer(connection);
  };
}

/** The wire's line for a batch of one event. */
export function batchLine(index: number): object {
  const event = {
    Topic: 'T',
    Type: 't',
    Key: `k${index}`,
    Namespace: '',
    FilterKeys: null,
    Index: index,
    Payload: { n: index },
  };
  return { Index: index, Events: [event] };
}

export function errorLine(code: string, retry: string): object {
  return { Error: { Code: code, Message: `${code} happened`, Retry: retry } };
}

export function gapLine(from: number, to: number, reason: string): object {
  return { Gap: { From: from, To: to, Reason: reason } };
}
