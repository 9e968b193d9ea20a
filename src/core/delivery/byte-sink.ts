/**
 * Where a transport takes bytes. The methods are called from the broker's flush: they must not throw, and must not
 * wait.
 *
 * A chunk is shared by all streams that get the same bytes: it must not be written to, nor its buffer transferred. A
 * transport that hands it to code that might do either hands out a copy.
 */
export interface ByteSink {
  /**
   * @param sharers where all who are in step and ask for the same are written this chunk: one object for all of them,
   * the same from chunk to chunk. A transport that compresses can do it once for all
   * @returns false when the peer does not keep up: nothing more comes until {@link Delivery.drained} is called, and
   * what was handed over so far is the most that is ever queued for it
   */
  write(chunk: Uint8Array, sharers?: object): boolean;
  /**
   * The end, with the last bytes if there are any. Called once.
   * @returns anything; a promise where the transport can tell when its peer has taken them, or never will:
   * `broker.close({ drainMs })` waits for it, to the end of its time
   */
  end(last?: Uint8Array): unknown;
  /**
   * Bytes that the peer has not taken yet. With it a slow peer is told from one that takes nothing; without it a
   * transport that does not drain within the broker's `stalledMs` is ended.
   */
  readonly waitingBytes?: number | undefined;
}
