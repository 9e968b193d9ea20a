import type { Wire } from './wire.ts';

/** Reads one HTTP/1.1 answer from a wire, as a client's `fetch` does. */
export class HttpAnswer {
  readonly #wire: Wire;
  #rest: Uint8Array = new Uint8Array();
  #isChunked = false;
  #leftInChunk = 0;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** @throws TypeError when the connection ends before the headers do */
  async response(): Promise<Response> {
    const [status = '', ...lines] = (await this.#upTo('\r\n\r\n')).split('\r\n');
    const headers = new Headers(lines.map((line) => line.split(': ', 2) as [string, string]));
    this.#isChunked = headers.get('Transfer-Encoding') === 'chunked';
    this.#leftInChunk = Number(headers.get('Content-Length') ?? 0);
    const body = new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const part = await this.#part();
          if (part === undefined) controller.close();
          else controller.enqueue(part);
        },
        cancel: () => this.#wire.hangUp(),
      },
      { highWaterMark: 0 },
    );
    return new Response(body, { status: Number(status.split(' ')[1]), headers });
  }

  async #part(): Promise<Uint8Array | undefined> {
    if (this.#leftInChunk === 0) this.#leftInChunk = this.#isChunked ? await this.#chunkSize() : 0;
    if (this.#leftInChunk === 0) return undefined;
    if (this.#rest.length === 0) await this.#more();
    const part = this.#rest.subarray(0, this.#leftInChunk);
    this.#rest = this.#rest.subarray(part.length);
    this.#leftInChunk -= part.length;
    if (this.#leftInChunk === 0 && this.#isChunked) await this.#upTo('\r\n');
    return part;
  }

  async #chunkSize(): Promise<number> {
    const text = await this.#upTo('\r\n');
    if (!/^[0-9a-f]+$/.test(text)) throw new TypeError(`No size of a chunk: ${JSON.stringify(text)}`);
    return Number.parseInt(text, 16);
  }

  async #upTo(mark: string): Promise<string> {
    for (;;) {
      const text = Buffer.from(this.#rest).toString('latin1');
      const end = text.indexOf(mark);
      if (end >= 0) {
        this.#rest = this.#rest.subarray(end + mark.length);
        return text.slice(0, end);
      }
      await this.#more();
    }
  }

  async #more(): Promise<void> {
    const bytes = await this.#wire.read();
    if (bytes === undefined) throw new TypeError('terminated');
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
  }
}
