import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A batch as it was published; `n` counts over all epochs. */
export interface Published {
  readonly n: number;
  readonly epoch: string;
  readonly index: number;
}

/** What the chaos test needs of a server. */
export interface ChaosServer {
  readonly port: number;
  /** Name of the present run. */
  readonly epoch: string;
  /** Everything that was ever published, in order. */
  readonly published: readonly Published[];
  /** @param step 1, or more for indexes that another topic took */
  publish(step: number): void;
  /** Shows that it is alive. */
  beat(): void;
  /** Another run: its indexes start over. Readers that are connected are cut off with advice. */
  restart(): void;
  close(): Promise<void>;
}

/**
 * A small, slow and obvious server of the wire protocol over real sockets: a list of batches, the oldest of which it
 * forgets. What the client is tested against has no code in common with what it is used with.
 *
 * As Nomad does, it repeats the last batch to a reader that resumes; and the end of its body is the end of the
 * connection, so that a cut within a line looks like an orderly end.
 */
export class StreamServer implements ChaosServer {
  readonly published: Published[] = [];
  readonly #server: Server;
  readonly #maxHeld: number;
  readonly #streams = new Set<ServerResponse>();
  #held: Published[] = [];
  #epochs = 1;
  #index = 0;

  private constructor(maxHeld: number) {
    this.#maxHeld = maxHeld;
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async open(this: void, maxHeld: number): Promise<StreamServer> {
    const server = new StreamServer(maxHeld);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get epoch(): string {
    return `run-${this.#epochs}`;
  }

  publish(step: number): void {
    this.#index += step;
    const batch = { n: this.published.length, epoch: this.epoch, index: this.#index };
    this.published.push(batch);
    this.#held.push(batch);
    if (this.#held.length > this.#maxHeld) this.#held.shift();
    for (const stream of this.#streams) stream.write(line(batch));
  }

  beat(): void {
    for (const stream of this.#streams) stream.write(this.#index % 2 ? '{}\n' : `{"Index":${this.#index}}\n`);
  }

  restart(): void {
    for (const stream of this.#streams)
      stream.end('{"Error":{"Code":"closed","Message":"The server restarts.","Retry":"resume"}}\n');
    this.#streams.clear();
    this.#epochs++;
    this.#index = 0;
    this.#held = [];
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const query = new URL(request.url ?? '', 'http://test').searchParams;
    response.useChunkedEncodingByDefault = false;
    response.writeHead(200, { 'Content-Type': 'application/json', 'X-Fenceline-Epoch': this.epoch });
    response.write(`{}\n${this.#backlog(Number(query.get('index')), query.get('epoch') ?? this.epoch)}`);
    this.#streams.add(response);
    response.on('close', () => this.#streams.delete(response));
  }

  #backlog(from: number, epoch: string): string {
    const isForeign = epoch !== this.epoch;
    const oldest = this.#held[0]?.index ?? this.#index + 1;
    const gap = (to: number, Reason: string) => `${JSON.stringify({ Gap: { From: from, To: to, Reason } })}\n`;
    const told = isForeign ? gap(from, 'restarted') : from > 0 && from < oldest ? gap(oldest - 1, 'trimmed') : '';
    return (
      told +
      this.#held
        .filter(({ index }) => isForeign || index >= from - 1)
        .map(line)
        .join('')
    );
  }
}

/** The wire's line of a published batch. */
function line({ n, epoch, index }: Published): string {
  const meta = { Topic: 'T', Type: 't', Key: epoch, Namespace: '', FilterKeys: null };
  return `${JSON.stringify({ Index: index, Events: [{ ...meta, Index: index, Payload: payloadOf(n) }] })}\n`;
}

/** A payload of varying length, whose letters take several bytes. */
export function payloadOf(n: number): { readonly n: number; readonly text: string } {
  return { n, text: 'ä€😀'.repeat(n % 30) };
}
