import { pause } from '../wait.ts';

/** Others are woken this often at most: what is appended meanwhile goes with the next time. */
const SHORTEST_PAUSE_MS = 1;

/**
 * Wakes the other processes after commits. Never within a writer's transaction: `NOTIFY` takes a lock of the whole
 * database at commit, and writers would queue for it. Where it fails, polls find what is new.
 */
export class Notifier {
  readonly #send: () => Promise<unknown>;
  readonly #closed = new AbortController();
  #isDue = false;
  #isRunning = false;

  constructor(send: () => Promise<unknown>) {
    this.#send = send;
  }

  signal(): void {
    this.#isDue = true;
    if (!this.#isRunning) void this.#run();
  }

  close(): void {
    this.#closed.abort();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#isDue && !this.#closed.signal.aborted) {
      this.#isDue = false;
      await this.#send().catch(() => undefined);
      await pause(SHORTEST_PAUSE_MS, this.#closed.signal);
    }
    this.#isRunning = false;
  }
}
