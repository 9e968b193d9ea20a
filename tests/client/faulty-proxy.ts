import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What a connection through the proxy suffers, after it has passed some bytes. */
export const faults = ['refuse', 'cut', 'reset', 'stall', 'garbage', 'busy', 'delay', 'none'] as const;
export type Fault = (typeof faults)[number];

/** A TCP proxy that harms each connection in one way. With a seeded random, the same harm comes in the same order. */
export class FaultyProxy {
  readonly #target: () => number;
  readonly #server: Server;
  readonly #random: () => number;
  readonly #maxBytes: number;
  readonly #sockets = new Set<Socket>();
  #isCalm = false;
  readonly counts: Record<Fault, number> = {
    refuse: 0,
    cut: 0,
    reset: 0,
    stall: 0,
    garbage: 0,
    busy: 0,
    delay: 0,
    none: 0,
  };

  private constructor(target: () => number, random: () => number, maxBytes: number) {
    this.#target = target;
    this.#random = random;
    this.#maxBytes = maxBytes;
    this.#server = createServer((client) => this.#serve(client));
  }

  /** @param maxBytes what a connection passes at most before it is harmed: a line that is longer never gets through */
  static async open(target: () => number, random: () => number, maxBytes = 4000): Promise<FaultyProxy> {
    const proxy = new FaultyProxy(target, random, maxBytes);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  /** From now on it harms nobody, those it harmed before excepted. */
  calm(): void {
    this.#isCalm = true;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #pick(): Fault {
    if (this.#isCalm) return 'none';
    // Stalls cost the reader's whole patience: they are rarer than the rest.
    const weighted: readonly Fault[] = [
      'refuse',
      'cut',
      'cut',
      'cut',
      'cut',
      'reset',
      'reset',
      'reset',
      'garbage',
      'busy',
      'delay',
      'stall',
    ];
    return weighted[Math.floor(this.#random() * weighted.length)] ?? 'cut';
  }

  #serve(client: Socket): void {
    const fault = this.#pick();
    this.counts[fault]++;
    this.#watch(client);
    if (fault === 'refuse') client.destroy();
    else if (fault === 'busy')
      client.end('HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n');
    else this.#forward(client, fault);
  }

  #forward(client: Socket, fault: Fault): void {
    const upstream = connect(this.#target(), '127.0.0.1');
    this.#watch(upstream);
    client.on('data', (chunk) => upstream.write(chunk)).on('close', () => upstream.destroy());
    upstream.on('close', () => (fault === 'stall' ? undefined : client.destroy()));
    // Most are harmed early: within the head, or within the first line.
    let left = fault === 'none' ? Infinity : Math.floor(this.#random() ** 2 * this.#maxBytes);
    upstream.on('data', (chunk) => {
      const part = chunk.subarray(0, left);
      left -= part.length;
      if (fault === 'delay') this.#dribble(client, upstream, part, left === 0);
      else client.write(part);
      if (left === 0) this.#later(() => this.#harm(client, upstream, fault));
    });
  }

  /** In small pieces, each in a turn of its own; then cut, if it was the last part. */
  #dribble(client: Socket, upstream: Socket, part: Buffer, isLast: boolean): void {
    if (client.destroyed) return;
    if (part.length === 0) {
      if (isLast) this.#later(() => client.end());
      else upstream.resume();
      return;
    }
    upstream.pause();
    const size = 1 + Math.floor(this.#random() * 200);
    client.write(part.subarray(0, size));
    setImmediate(() => this.#dribble(client, upstream, part.subarray(size), isLast));
  }

  /** Soon, or a few turns later: a reader loses what it has not read when the connection breaks. */
  #later(call: () => void): void {
    let turns = Math.floor(this.#random() * 8);
    const wait = (): unknown => (turns-- > 0 ? setImmediate(wait) : call());
    wait();
  }

  #harm(client: Socket, upstream: Socket, fault: Fault): void {
    if (fault === 'stall') upstream.destroy();
    else if (fault === 'reset') client.resetAndDestroy();
    else if (fault === 'garbage') client.end('\u0000not a chunk\r\n');
    else if (fault === 'cut') client.end();
  }

  #watch(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay();
    // What breaks here is what the proxy is for; the socket closes after it.
    socket.on('error', () => socket.destroy()).on('close', () => this.#sockets.delete(socket));
  }
}
