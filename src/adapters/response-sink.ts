import type { ServerResponse } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import type { Socket } from 'node:net';
import type { ByteSink } from '../core/delivery/byte-sink.ts';

/**
 * What may wait for a slow peer, in bytes, before its subscription reads on from its position instead. One chunk may
 * come on top.
 */
const MAX_WAITING_BYTES = 256 * 1024;

/** A response of `node:http` or of `node:http2`'s compatibility API. */
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** Writes with the response's own `write`: works wherever a response does. */
export class ResponseSink implements ByteSink {
  readonly #response: ServerResponse & { flush?: () => void };
  /** A middleware has put its own `write` there: what it does with a chunk, the others must not see. */
  readonly #isForeign: boolean;

  constructor(response: NodeResponse, onDrain: () => void) {
    this.#response = response as ServerResponse;
    this.#isForeign = Object.hasOwn(response, 'write');
    this.#response.on('drain', onDrain);
  }

  get waitingBytes(): number {
    return this.#response.socket ? waitingIn(this.#response.socket) : this.#response.writableLength;
  }

  write(chunk: Uint8Array): boolean {
    const isReady = this.#response.write(this.#isForeign ? new Uint8Array(chunk) : chunk);
    if (!this.#response.flush) return isReady || this.#response.writableLength <= MAX_WAITING_BYTES;
    // Compression middleware holds small writes back until it is told. What waits in it the response does not count:
    // its word on readiness is all there is.
    this.#response.flush();
    return isReady;
  }

  end(last?: Uint8Array): Promise<void> {
    if (last) this.#response.end(last);
    else this.#response.end();
    return endSoon(this.#response);
  }
}

/** Writes chunks that are framed already to the socket, in one system call each; the response only begins and ends. */
export class SocketSink implements ByteSink {
  readonly #response: ServerResponse;
  readonly #socket: Socket;
  readonly #onDrain: () => void;

  constructor(response: ServerResponse, socket: Socket, onDrain: () => void) {
    this.#response = response;
    this.#socket = socket;
    this.#onDrain = onDrain;
    socket.on('drain', onDrain);
    response.on('close', () => socket.off('drain', this.#onDrain));
  }

  /**
   * Nothing follows the last chunk: the host may have ended the response, which closes only when its slow peer has read
   * all of it.
   */
  get waitingBytes(): number {
    return waitingIn(this.#socket);
  }

  write(chunk: Uint8Array): boolean {
    if (this.#response.writableEnded) return false;
    return this.#socket.write(chunk) || this.#socket.writableLength <= MAX_WAITING_BYTES;
  }

  end(last?: Uint8Array): Promise<void> {
    if (last && !this.#response.writableEnded) this.#socket.write(last);
    this.#response.end();
    return endSoon(this.#response);
  }
}

/** How long a peer may take to read the last bytes, in ms. One that does not read would hold its socket for ever. */
const LINGER_MS = 5000;

/**
 * The answer was written, and is over when it was read, or soon.
 * @returns resolves then
 */
export async function endSoon(response: ServerResponse): Promise<void> {
  if (response.writableFinished || response.destroyed) return;
  const timer = setTimeout(() => response.destroy(), LINGER_MS);
  timer.unref();
  await new Promise((resolve) => response.on('close', resolve));
  clearTimeout(timer);
}

/**
 * What the kernel has not taken yet. `writableLength` falls only when all of a write was taken, which may be megabytes;
 * the handle counts as it goes, and Node's own idle time-out looks at it for that reason.
 */
function waitingIn(socket: Socket & { readonly _handle?: { readonly writeQueueSize?: number } | null }): number {
  return socket._handle?.writeQueueSize ?? socket.writableLength;
}
