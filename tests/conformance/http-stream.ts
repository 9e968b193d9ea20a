import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventStreamHandler, type EventStreamHandlerOptions } from '../../src/adapters/http.ts';

/** One line of a stream, as parsed. */
export interface WireLine {
  readonly Index?: number;
  readonly Events?: readonly {
    readonly Topic: string;
    readonly Key: string;
    readonly Namespace: string;
    readonly Index: number;
  }[];
  readonly Gap?: { readonly From: number; readonly To: number; readonly Reason: string; readonly Epoch?: string };
  readonly Error?: { readonly Code: string; readonly Message: string; readonly Retry: string; readonly Index?: number };
}

/** A node:http server with nothing but the stream's handler. */
export class HttpEndpoint {
  readonly #server: http.Server;

  private constructor(server: http.Server) {
    this.#server = server;
  }

  static async serve(options: EventStreamHandlerOptions): Promise<HttpEndpoint> {
    const server = http.createServer(eventStreamHandler(options));
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    return new HttpEndpoint(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1/event/stream`;
  }

  /** @param query as it stands in the URL */
  open(query = '', headers: Record<string, string> = {}, method = 'GET'): Promise<HttpStream> {
    return new Promise((resolve, reject) => {
      const path = `${new URL(this.url).pathname}${query === '' ? '' : `?${query}`}`;
      const { port } = this.#server.address() as AddressInfo;
      const request = http.request({ host: '127.0.0.1', port, path, headers, method, agent: false }, (response) =>
        resolve(new HttpStream(request, response)),
      );
      request.on('error', reject);
      request.end();
    });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => void this.#server.close(resolve));
  }
}

/** A response, read line by line. */
export class HttpStream {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly #request: http.ClientRequest;
  readonly #chunks: AsyncIterator<Buffer>;
  #text = '';

  constructor(request: http.ClientRequest, response: http.IncomingMessage) {
    this.status = response.statusCode ?? 0;
    this.headers = response.headers;
    this.#request = request;
    this.#chunks = (response as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  }

  /** The next line as text; undefined at the end. */
  async text(): Promise<string | undefined> {
    for (;;) {
      const end = this.#text.indexOf('\n');
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        return line;
      }
      const { value, done } = await this.#chunks.next();
      if (done === true) return undefined;
      this.#text += (value as Buffer).toString();
    }
  }

  async line(): Promise<WireLine | undefined> {
    const text = await this.text();
    return text === undefined ? undefined : (JSON.parse(text) as WireLine);
  }

  /** The next line that is no heartbeat. */
  async news(): Promise<WireLine | undefined> {
    for (;;) {
      const line = await this.line();
      if (line === undefined || line.Events || line.Gap || line.Error) return line;
    }
  }

  /** All that is left, up to the end. */
  async rest(): Promise<readonly WireLine[]> {
    const lines: WireLine[] = [];
    for (let line = await this.news(); line !== undefined; line = await this.news()) lines.push(line);
    return lines;
  }

  close(): void {
    this.#request.on('error', () => undefined);
    this.#request.destroy();
  }
}
