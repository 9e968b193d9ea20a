/** What the server says of a message that a consumer delivers. */
export interface DeliveryInfo {
  /** Sequence in the stream. */
  readonly index: number;
  /** How many messages this consumer has delivered, this one included. */
  readonly delivery: number;
  /** When it was stored, milliseconds since 1970. */
  readonly time: number;
  /** How many messages of the stream come after it, at this moment. */
  readonly pending: number;
}

/**
 * Reads the reply subject of a delivered message:
 * `$JS.ACK.<stream>.<consumer>.<tries>.<index>.<delivery>.<nanoseconds>.<pending>`; servers with domains put domain and
 * account before the stream, and may add a token at the end. What is no such subject gives numbers that are NaN.
 */
export function deliveryOf(reply: string): DeliveryInfo {
  const tokens = reply.split('.');
  const from = tokens.length > 9 ? 7 : 5;
  const number = (at: number) => Number(tokens[from + at]);
  // Cut as text: nanoseconds are no safe integer, and rounding may pass into the next millisecond.
  const time = Number(tokens[from + 2]?.slice(0, -6));
  return { index: number(0), delivery: number(1), time, pending: number(3) };
}
