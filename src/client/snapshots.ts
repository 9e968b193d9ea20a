import type { EventBatch } from '../model/event.ts';
import { joinGaps, type Gap } from '../model/gap.ts';
import type { Position } from './read-position.ts';
import { StreamError } from './stream-error.ts';
import type { Snapshot } from './stream-options.ts';

/** What a snapshot brings: where the stream goes on, and the batch that hands it over. */
export interface TakenSnapshot {
  readonly position: Position;
  readonly batch: EventBatch & { readonly snapshot: unknown };
}

/** The host's own state, asked for first and after each gap. */
export class Snapshots {
  readonly #ask: () => Snapshot<unknown> | Promise<Snapshot<unknown>>;
  #isDue: boolean;
  /** Why it is asked for again. */
  #gap: Gap | undefined;

  constructor(ask: () => Snapshot<unknown> | Promise<Snapshot<unknown>>, isDue: boolean) {
    this.#ask = ask;
    this.#isDue = isDue;
  }

  /** It is to be asked for before the server is. */
  get isDue(): boolean {
    return this.#isDue;
  }

  /** Events are missing: @returns what ends the connection, so that the next begins behind a new snapshot */
  askAgain(gap: Gap): StreamError {
    this.#isDue = true;
    this.#gap = joinGaps(this.#gap, gap);
    return new StreamError('gap', 'Events may be missing: the snapshot is taken again.', 'resume', { gap });
  }

  /** @throws StreamError `snapshot_failed`, which is tried again */
  async take(): Promise<TakenSnapshot> {
    const { value, index, epoch } = await this.#answer();
    const gap = this.#gap;
    this.#isDue = false;
    this.#gap = undefined;
    const batch = { index: Math.max(0, index - 1), events: [], snapshot: value, ...(gap && { gap }) };
    return { position: { index, ...(epoch !== undefined && { epoch }) }, batch };
  }

  async #answer(): Promise<Snapshot<unknown>> {
    try {
      const answer = await this.#ask();
      const { index, epoch } = answer;
      if (!Number.isSafeInteger(index) || index < 0)
        throw new TypeError('snapshot must answer with the index to go on from.');
      if (epoch !== undefined && typeof epoch !== 'string')
        throw new TypeError('The epoch of a snapshot must be a text.');
      return answer;
    } catch (cause) {
      if (StreamError.is(cause)) throw cause;
      throw new StreamError('snapshot_failed', 'No snapshot could be had.', 'resume', { cause });
    }
  }
}
