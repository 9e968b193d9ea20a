import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A batch as it was published; `n` counts over all epochs. */
export interface Published {
  readonly n: number;
  readonly epoch: string;
  readonly index: number;
}

/**
 * A small, slow and obvious server of the wire protocol over real sockets: a list of batches, the oldest of which it forgets. What the
 * client is tested against has no code in common with what it is used with.
 */
export class StreamServer {
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

  static async open(maxHeld: number): Promise<StreamServer> {
    const server = new StreamServer(maxHeld);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** @param step 1, or more for indexes that another topic took */
  publish(step: number): void {
    this.#index += step;
    const batch = { n: this.published.length, epoch: this.#epoch, index: this.#index };
    this.published.push(batch);
    this.#held.push(batch);
    if (this.#held.length > this.#maxHeld) this.#held.shift();
    for (const stream of this.#streams) stream.write(line(batch));
  }

  bookmark(): void {
    for (const stream of this.#streams) stream.write(`{"Index":${this.#index}}\n`);
  }

  heartbeat(): void {
    for (const stream of this.#streams) stream.write('{}\n');
  }

  /** Another run: its indexes start over. Readers that are connected are cut off with advice. */
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

  get #epoch(): string {
    return `run-${this.#epochs}`;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const query = new URL(request.url ?? '', 'http://test').searchParams;
    response.writeHead(200, { 'Content-Type': 'application/json', 'X-Fenceline-Epoch': this.#epoch });
    response.write(`{}\n${this.#backlog(Number(query.get('index')), query.get('epoch') ?? this.#epoch)}`);
    this.#streams.add(response);
    response.on('close', () => this.#streams.delete(response));
  }

  #backlog(from: number, epoch: string): string {
    const isForeign = epoch !== this.#epoch;
    const oldest = this.#held[0]?.index ?? this.#index + 1;
    const gap = (to: number, Reason: string) => `${JSON.stringify({ Gap: { From: from, To: to, Reason } })}\n`;
    const told = isForeign ? gap(from, 'restarted') : from > 0 && from < oldest ? gap(oldest - 1, 'trimmed') : '';
    return (
      told +
      this.#held
        .filter(({ index }) => isForeign || index >= from)
        .map(line)
        .join('')
    );
  }
}

function line({ n, epoch, index }: Published): string {
  const event = {
    Topic: 'T',
    Type: 't',
    Key: epoch,
    Namespace: '',
    FilterKeys: null,
    Index: index,
    Payload: { n, text: 'ä'.repeat(n % 60) },
  };
  return `${JSON.stringify({ Index: index, Events: [event] })}\n`;
}
