import http from 'node:http';
import type { WireLine } from '../conformance/wire-lines.ts';
import type { StreamWitness, Wish } from './stream-model.ts';

/** A client on a real socket that hands each line to a witness. */
export class StreamClient {
  readonly #response: http.IncomingMessage;
  readonly #witness: StreamWitness;
  #rest = '';
  #failure: unknown;
  #tell: (() => void) | undefined;
  #last = 0;

  constructor(response: http.IncomingMessage, witness: StreamWitness, isPaused: boolean) {
    this.#response = response;
    this.#witness = witness;
    response.on('error', () => undefined);
    response.on('data', (chunk: Buffer) => this.#take(chunk.toString()));
    if (isPaused) response.pause();
  }

  read(): void {
    this.#response.resume();
  }

  pause(): void {
    this.#response.pause();
  }

  /** Resolves when the batch has come that all filters pass. */
  async finish(newest: number): Promise<void> {
    this.#response.resume();
    while (this.#last < newest && this.#failure === undefined)
      await new Promise<void>((resolve) => (this.#tell = resolve));
    if (this.#failure !== undefined) throw this.#failure;
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    try {
      for (const line of lines) this.#line(JSON.parse(line) as WireLine);
    } catch (error) {
      this.#failure ??= error;
    }
    this.#tell?.();
  }

  #line(line: WireLine): void {
    takeLine(line, this.#witness);
    if (line.Events && line.Index) this.#last = line.Index;
  }
}

/** Hands one line to a witness. */
export function takeLine({ Index, Events, Gap: gap, Error: error }: WireLine, witness: StreamWitness): void {
  if (error) throw new Error(`The stream ended with ${error.Code}.`);
  if (gap) witness.gap({ from: gap.From, to: gap.To, reason: gap.Reason });
  if (!Events || !Index) return;
  witness.batch(
    Index,
    Events.map(({ Payload }) => Payload),
  );
}

export async function openHttpStream(
  port: number,
  { topics, namespaces, index, epoch }: Wish & { readonly epoch?: string },
  isPaused: boolean,
  witness: StreamWitness,
  newest: () => number,
) {
  const query = new URLSearchParams([
    ...topics.map((topic) => ['topic', topic]),
    ...namespaces.map((namespace) => ['namespace', namespace]),
    ['index', String(index)],
    ...(epoch === undefined ? [] : [['epoch', epoch]]),
  ]);
  const request = http.get({ host: '127.0.0.1', port, path: `/?${query.toString()}`, agent: false });
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    request.on('response', resolve).on('error', reject);
  });
  if (response.statusCode !== 200) throw new Error(`The answer was ${response.statusCode}.`);
  request.on('error', () => undefined);
  witness.opened();
  const client = new StreamClient(response, witness, isPaused);
  return { read: () => client.read(), pause: () => client.pause(), finish: () => client.finish(newest()) };
}
