import type { ClockTimer } from '../model/clock.ts';
import { StreamError } from './stream-error.ts';
import type { Answer, BodyReader } from './stream-settings.ts';
import type { StreamClock } from './wait.ts';

/**
 * A 200 without a byte says something only after this long: one that is cut at once is a broken connection like any
 * other.
 */
const SILENT_AFTER_MS = 10_000;

/** For parts that mind it when an answer of 200 is silent. */
export interface SilenceWatch {
  readonly clock: StreamClock;
  /** When it is aborted, the stream has ended the connection, which says nothing of the server. */
  readonly signal: AbortSignal;
  /** The first byte may take so long; later ones as long as on any connection. */
  readonly limitMs?: number;
  /**
   * There was no byte for long, and then the connection broke or came to an end, or was given up for it.
   * @param error undefined at an end
   * @returns what it means, if that is something else
   */
  atEnd(error: unknown): StreamError | undefined;
}

/** Watches a body until its first byte. */
export class FirstByte implements BodyReader {
  readonly #body: BodyReader;
  readonly #watch: SilenceWatch;
  readonly #since: number;
  #isHere = false;

  constructor(body: BodyReader, watch: SilenceWatch) {
    this.#body = body;
    this.#watch = watch;
    this.#since = watch.clock.now();
  }

  cancel(): Promise<void> {
    return this.#body.cancel();
  }

  async read(): ReturnType<BodyReader['read']> {
    if (this.#isHere) return this.#body.read();
    const part = await this.#first().catch((error: unknown) => {
      throw this.#reason(error) ?? error;
    });
    const { value } = part;
    const reason = value ? undefined : this.#reason(undefined);
    if (reason) throw reason;
    this.#isHere = !!value?.length;
    return part;
  }

  async #first(): ReturnType<BodyReader['read']> {
    const { clock, limitMs, signal } = this.#watch;
    const read = this.#body.read();
    if (limitMs === undefined) return read;
    let timer: ClockTimer | undefined;
    const end = () => timer?.cancel();
    signal.addEventListener('abort', end);
    const late = new Promise<never>((_, reject) => {
      timer = clock.after(limitMs, () =>
        reject(new StreamError('timeout', `Nothing came for ${limitMs} ms.`, 'resume')),
      );
    });
    try {
      return await Promise.race([read, late]);
    } finally {
      end();
    }
  }

  #reason(error: unknown): StreamError | undefined {
    const { clock, signal, atEnd } = this.#watch;
    const isSilent = !signal.aborted && clock.now() - this.#since >= SILENT_AFTER_MS;
    return isSilent ? atEnd(error) : undefined;
  }
}

/** The same answer with another body. */
export function withBody(answer: Answer, change: (body: BodyReader) => BodyReader): Answer {
  const { status, headers, bodyUsed, body } = answer;
  return { status, headers, bodyUsed, body: body && { getReader: () => change(body.getReader()) } };
}
