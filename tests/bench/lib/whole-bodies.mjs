// In the client process, for bodies that it must not decode for each of its connections: that would make it the limit.
// All connections that came before the first event are sent the same bytes; one of them is decoded in the end.
import { gunzipSync, constants } from 'node:zlib';
import { MARK } from './events.mjs';

export class WholeBodies {
  #lengths;
  #isGzip;
  /** What the first connection was sent. */
  #pieces = [];

  constructor(clients, isGzip) {
    this.#lengths = new Float64Array(clients);
    this.#isGzip = isGzip;
  }

  take(i, bytes) {
    this.#lengths[i] += bytes.length;
    if (i === 0) this.#pieces.push(Buffer.from(bytes));
  }

  /** How many bytes each has by now, and how many events stand in those of the first. */
  report() {
    const body = withoutChunks(Buffer.concat(this.#pieces));
    const text = this.#isGzip ? gunzipSync(body, { finishFlush: constants.Z_SYNC_FLUSH }) : body;
    return {
      least: Math.min(...this.#lengths),
      most: Math.max(...this.#lengths),
      events: text.toString('latin1').split(MARK).length - 1,
    };
  }
}

/** The body of HTTP/1.1 in chunks, as far as whole ones are here. */
function withoutChunks(bytes) {
  const parts = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf('\r\n', at);
    const start = end + 2;
    const length = Number.parseInt(bytes.latin1Slice(at, end), 16);
    if (end < 0 || start + length > bytes.length) break;
    parts.push(bytes.subarray(start, start + length));
    at = start + length + 2;
  }
  return Buffer.concat(parts);
}
