import { streamEvents, type StreamError, type StreamOptions } from 'fenceline/client';

/** What one good reader saw that it must not, or did not see. */
export class Witness {
  readonly name: string;
  readonly violations: string[] = [];
  batches = 0;
  gaps = 0;
  ends = 0;
  /** Set while its token has no rights: nothing above this index may come. */
  fence: number | undefined;
  #last = -1;
  #isOver = false;
  #stream: ReturnType<typeof streamEvents> | undefined;
  readonly #done: Promise<void>;

  /** @param options what else the stream is opened with */
  constructor(name: string, url: string, token: string, options: StreamOptions = {}) {
    this.name = name;
    this.#done = this.#read(url, { ...options, topics: ['Job'], token, minDelayMs: 20, maxDelayMs: 200 });
  }

  /** Newest number that it has seen. */
  get last(): number {
    return this.#last;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    this.#stream?.close();
    await this.#done;
  }

  async #read(url: string, options: StreamOptions): Promise<void> {
    let position: object = {};
    while (!this.#isOver) {
      const stream = streamEvents(url, { ...options, ...position });
      this.#stream = stream;
      try {
        for await (const { index, events, gap } of stream) {
          const [event] = events;
          if (event) this.#see(index, (event.payload as { readonly n: number }).n, gap !== undefined);
          position = stream.position;
        }
      } catch (error) {
        // Its rights are gone, for now: it comes again.
        this.ends++;
        if (!(error as StreamError).code?.startsWith('acl_') && (error as StreamError).code !== 'permission_denied')
          this.violations.push(`ended with ${String(error)}`);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  }

  #see(index: number, n: number, hasGap: boolean): void {
    this.batches++;
    if (hasGap) this.gaps++;
    if (n <= this.#last) this.violations.push(`${n} came after ${this.#last}: doubled`);
    if (n > this.#last + 1 && !hasGap && this.#last >= 0) this.violations.push(`${n} came after ${this.#last}: lost`);
    if (this.fence !== undefined && index > this.fence)
      this.violations.push(`index ${index} came above the fence at ${this.fence}`);
    this.#last = n;
  }
}
