import { BrokerError } from '../model/errors.ts';

/** So many appends are under way at most: few enough for a server to acknowledge them all in time … */
const MAX_APPENDS = 4096;
/** … with so many bytes of bodies. */
const MAX_BYTES = 64 * 1024 * 1024;

/** What appends that wait for a server may hold together, also those whose caller gave up; one more is refused. */
export class AppendBounds {
  #appends = 0;
  #bytes = 0;

  /** @throws BrokerError `at_capacity` */
  take(bytes: number): void {
    if (this.#appends >= MAX_APPENDS || this.#bytes + bytes > MAX_BYTES) {
      const limits = `${MAX_APPENDS} appends or ${MAX_BYTES} bytes`;
      const message = `More than ${limits} wait for the log's acknowledgement; nothing was stored.`;
      throw new BrokerError('at_capacity', message);
    }
    this.#appends += 1;
    this.#bytes += bytes;
  }

  release(bytes: number): void {
    this.#appends -= 1;
    this.#bytes -= bytes;
  }
}
