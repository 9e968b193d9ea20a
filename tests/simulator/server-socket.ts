import { Duplex } from 'node:stream';
import type { Wire } from './wire.ts';

/**
 * As if each byte that waits were so many: a stream pushes back after a few events then, and not after a quarter of a
 * megabyte.
 */
const WEIGHT = 4096;

/** The server's end of a wire, as Node's HTTP server takes a connection. */
export class ServerSocket extends Duplex {
  readonly #wire: Wire;

  constructor(wire: Wire, request: string) {
    // Nothing waits in the stream itself without being told: what the wire takes at once is all that is free.
    super({ writableHighWaterMark: 1 });
    this.#wire = wire;
    const { get } = Object.getOwnPropertyDescriptor(Duplex.prototype, 'writableLength') ?? {};
    Object.defineProperty(this, 'writableLength', { get: () => (get?.call(this) as number) * WEIGHT });
    wire.onHangUp = () => this.destroy();
    this.push(request);
  }

  destroySoon(): void {
    if (this.writableFinished) this.destroy();
    else this.end(() => this.destroy());
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    // The server frames chunks in memory that it uses again.
    this.#wire.send(Uint8Array.from(chunk), done);
  }

  override _final(done: () => void): void {
    done();
  }

  override _destroy(_error: Error | null, done: () => void): void {
    this.#wire.finish();
    done();
  }
}
