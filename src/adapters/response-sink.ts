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

  constructor(response: NodeResponse, onDrain: () => void) {
    this.#response = response as ServerResponse;
    this.#response.on('drain', onDrain);
  }

  write(chunk: Uint8Array): boolean {
    const isReady = this.#response.write(chunk);
    if (!this.#response.flush) return isReady || this.#response.writableLength <= MAX_WAITING_BYTES;
    // Compression middleware holds small writes back until it is told. What waits in it the response does not count:
    // its word on readiness is all there is.
    this.#response.flush();
    return isReady;
  }

  end(last?: Uint8Array): void {
    if (last) this.#response.end(last);
    else this.#response.end();
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
  write(chunk: Uint8Array): boolean {
    if (this.#response.writableEnded) return false;
    return this.#socket.write(chunk) || this.#socket.writableLength <= MAX_WAITING_BYTES;
  }

  end(last?: Uint8Array): void {
    if (last && !this.#response.writableEnded) this.#socket.write(last);
    this.#response.end();
  }
}
