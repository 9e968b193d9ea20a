import type { Gap } from '../../client/index.ts';
import { withPatience } from './patience.ts';

/** A server that does not tell its newest index within this time is not waited for, in ms. */
const PATIENCE_MS = 2000;
/** A stream begins with a heartbeat. */
const MAX_GREETING_CHARACTERS = 1024;

interface Head {
  readonly index: number;
  readonly epoch: string | undefined;
}

/**
 * Tells what happens now from what waited at the server. A stream does not say where its backlog ends, so each time
 * that a connection opens the same question is asked once more, from `latest` on: the first heartbeat of the answer has
 * the newest index of that moment. What is not past it is backlog, also what came while the page was cut off or paused.
 *
 * A server that does not tell it (Nomad's own) leaves it unknown; all that is read counts as live then.
 */
export class LiveHead {
  #head: Head | undefined;

  isLive(index: number): boolean {
    return this.#head === undefined || index > this.#head.index;
  }

  /** Indexes that begin anew in the middle of a connection are held against no index of before. */
  gap({ reason, epoch }: Pick<Gap, 'reason' | 'epoch'>): void {
    if (reason === 'restarted' && epoch !== this.#head?.epoch) this.#head = undefined;
  }

  /** Opens a connection, and finds out where it stands before the first line of it is read. */
  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const response = await fetch(input, init);
    const url = new URL(input instanceof Request ? input.url : input);
    // Who asks for what comes only gets no backlog. Who is refused would be refused again.
    const isAsked = response.ok && url.searchParams.get('index') !== 'latest';
    this.#head = isAsked ? await newestOf(url, init) : undefined;
    return response;
  };
}

/** Never throws: it is not worth a stream. */
async function newestOf(url: URL, init: RequestInit = {}): Promise<Head | undefined> {
  const query = new URL(url);
  query.searchParams.set('index', 'latest');
  for (const name of ['epoch', 'state', 'mark']) query.searchParams.delete(name);
  try {
    return await withPatience(PATIENCE_MS, init.signal, async (signal) => {
      const { ok, body } = await fetch(query, { ...init, signal });
      return ok && body ? await headOf(body) : undefined;
    });
  } catch {
    return undefined;
  }
}

async function headOf(body: ReadableStream<Uint8Array>): Promise<Head | undefined> {
  const reader = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader();
  let text = '';
  while (text.length < MAX_GREETING_CHARACTERS) {
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
    if (text.startsWith('{') && text.includes('\n')) return headInLine(text.split('\n', 1)[0] ?? '');
    // Server-sent events: the first id is the bookmark's, `<epoch>:<index>`.
    const [, epoch, index] = /^id: (.+):(\d+)\n/m.exec(text) ?? [];
    if (index !== undefined) return { index: Number(index), epoch };
  }
  return undefined;
}

function headInLine(line: string): Head | undefined {
  const { Index: index, Epoch: epoch } = JSON.parse(line) as { readonly Index?: unknown; readonly Epoch?: unknown };
  if (typeof index !== 'number') return undefined;
  return { index, epoch: typeof epoch === 'string' ? epoch : undefined };
}
