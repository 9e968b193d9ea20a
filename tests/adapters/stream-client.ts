import { once } from 'node:events';
import { request as httpRequest, type Agent, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { connect, type IncomingHttpHeaders as Http2Headers } from 'node:http2';

import { LineReader } from './line-reader.ts';

/** What is asked of the server; by default a GET without headers. */
export interface Asked {
  readonly method?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Shares a connection with others. HTTP/1.1 only. */
  readonly agent?: Agent;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders | Http2Headers;
  readonly body: LineReader;
}

/** A request that has been sent. */
export interface Sent {
  /** Fails when the client leaves first. */
  readonly answer: Promise<Answer>;
  leave(): void;
}

/** Asks a mount, each time on a connection of its own unless told otherwise. */
export class StreamClient {
  readonly #protocol: 'http1' | 'http2';
  readonly #port: number;
  readonly #path: string;
  readonly #sent = new Set<Sent>();

  constructor(protocol: 'http1' | 'http2', port: number, path: string) {
    this.#protocol = protocol;
    this.#port = port;
    this.#path = path;
  }

  ask(asked: Asked = {}): Promise<Answer> {
    return this.send(asked).answer;
  }

  /** A stream whose first heartbeat was read. */
  async open(query = '', headers: Readonly<Record<string, string>> = {}): Promise<LineReader> {
    const { status, body } = await this.ask({ query, headers });
    const first = await body.line();
    if (status !== 200 || first !== '{}') throw new Error(`No stream: ${status} ${first}`);
    return body;
  }

  send(asked: Asked = {}): Sent {
    const sent = this.#protocol === 'http1' ? this.#sendHttp1(asked) : this.#sendHttp2(asked);
    this.#sent.add(sent);
    return sent;
  }

  /** Leaves all that is open. */
  close(): void {
    for (const sent of this.#sent) sent.leave();
  }

  #sendHttp1({ method = 'GET', query = '', headers = {}, agent }: Asked): Sent {
    const request = httpRequest({
      host: '127.0.0.1',
      port: this.#port,
      method,
      path: this.#path + query,
      headers,
      agent: agent ?? false,
    }).end();
    request.on('error', () => undefined);
    const answer = once(request, 'response').then(([response]) => {
      const { statusCode = 0, headers } = response as IncomingMessage;
      return { status: statusCode, headers, body: new LineReader(response as IncomingMessage) };
    });
    answer.catch(() => undefined);
    return { answer, leave: () => void request.destroy() };
  }

  #sendHttp2({ method = 'GET', query = '', headers = {} }: Asked): Sent {
    const session = connect(`http://127.0.0.1:${this.#port}`);
    session.on('error', () => undefined);
    const stream = session.request({ ':method': method, ':path': this.#path + query, ...headers });
    const body = new LineReader(stream);
    stream.once('close', () => session.destroy());
    const answer = once(stream, 'response').then(([received]) => {
      const { ':status': status = 0, ...headers } = received as Http2Headers & { ':status'?: number };
      return { status, headers, body };
    });
    answer.catch(() => undefined);
    return { answer, leave: () => session.destroy() };
  }
}
