/** Where a transport takes bytes. Both methods are called from the broker's flush: they must not throw, and must not wait. */
export interface ByteSink {
  /**
   * @returns false when the peer does not keep up: nothing more comes until {@link Delivery.drained} is called, and what was handed over
   * so far is the most that is ever queued for it
   */
  write(chunk: Uint8Array): boolean;
  /** The end, with the last bytes if there are any. Called once. */
  end(last?: Uint8Array): void;
}
