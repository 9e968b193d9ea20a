import type { Readable } from 'node:stream';

/** Reads lines from a body, no faster than it is asked to: what is not asked for stays in the sockets. */
export class LineReader {
  /** For those who read it otherwise. */
  readonly stream: Readable;
  #chunks: AsyncIterator<Buffer, unknown> | undefined;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  readonly #lines: string[] = [];
  #partial = '';

  constructor(body: Readable) {
    this.stream = body;
    body.on('error', () => undefined);
  }

  /** The next line without its end; undefined after the last. A line without an end counts as none. */
  async line(): Promise<string | undefined> {
    while (this.#lines.length === 0) {
      const { value, done } = await this.#next();
      if (done === true) return undefined;
      this.#take(this.#decoder.decode(value, { stream: true }));
    }
    return this.#lines.shift();
  }

  /** The next line as JSON. */
  async object(): Promise<unknown> {
    const line = await this.line();
    return line === undefined ? undefined : (JSON.parse(line) as unknown);
  }

  async objects(count: number): Promise<unknown[]> {
    const objects: unknown[] = [];
    while (objects.length < count) objects.push(await this.object());
    return objects;
  }

  /** All that is left, of a body that ends. */
  async rest(): Promise<string> {
    let text =
      this.#lines
        .splice(0)
        .map((line) => `${line}\n`)
        .join('') + this.#partial;
    for (let next = await this.#next(); next.done !== true; next = await this.#next())
      text += this.#decoder.decode(next.value, { stream: true });
    return text;
  }

  leave(): void {
    this.stream.destroy();
  }

  #next(): Promise<IteratorResult<Buffer, unknown>> {
    this.#chunks ??= this.stream[Symbol.asyncIterator]();
    return this.#chunks.next();
  }

  #take(text: string): void {
    const lines = text.split('\n');
    lines[0] = this.#partial + (lines[0] ?? '');
    this.#partial = lines.pop() ?? '';
    this.#lines.push(...lines);
  }
}
