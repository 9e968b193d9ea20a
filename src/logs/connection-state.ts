import { pause } from './wait.ts';

/** The connection broke while an answer was waited for. */
export class ConnectionBroken extends Error {
  override readonly name = 'ConnectionBroken';
}

/**
 * Whether a connection stands, as its client tells. It only makes things faster: what waits for an answer is given up
 * the moment the connection breaks, and asked anew the moment there is one again.
 */
export class ConnectionState {
  readonly #breakCalls = new Set<() => void>();
  #isDown = false;
  #return = new AbortController();

  get isDown(): boolean {
    return this.#isDown;
  }

  /** Calls whenever the connection breaks, until the returned function is called. */
  onBreak(call: () => void): () => void {
    this.#breakCalls.add(call);
    return () => this.#breakCalls.delete(call);
  }

  /**
   * Resolves when the connection is back; at once when it stands; after `longestMs`, or when `signal` is aborted,
   * anyway.
   */
  async untilBack(longestMs: number, signal?: AbortSignal): Promise<void> {
    const back = this.#return.signal;
    if (this.isDown) await pause(longestMs, signal ? AbortSignal.any([signal, back]) : back);
  }

  /**
   * What `work` comes to, unless the connection breaks before: an answer that was on its way does not arrive then.
   * @throws ConnectionBroken
   */
  unlessBroken<T>(work: Promise<T>): Promise<T> {
    // By hand, since each command passes here: Promise.race and finally make several promises more.
    return new Promise((resolve, reject) => {
      const unwatch = this.onBreak(() => {
        unwatch();
        reject(new ConnectionBroken('The connection broke before the answer came.'));
      });
      work.then(
        (value) => {
          unwatch();
          resolve(value);
        },
        (error: unknown) => {
          unwatch();
          reject(error);
        },
      );
    });
  }

  /** The client says that the connection broke. */
  break(): void {
    this.#isDown = true;
    for (const call of this.#breakCalls) call();
  }

  /** The client says that it is back, or that there is nothing to wait for. */
  mend(): void {
    this.#isDown = false;
    this.#return.abort();
    this.#return = new AbortController();
  }
}
