import { joinGaps, type Gap } from '../model/gap.ts';
import { StreamError } from './stream-error.ts';
import type { StreamPart } from './stream-features.ts';
import type { Snapshot } from './stream-options.ts';
import type { Snapshots, SnapshotSupport, TakenSnapshot } from './stream-parts.ts';

/** The host's own state, asked for first and after each gap. */
export class HostSnapshots implements Snapshots {
  readonly #ask: () => Snapshot<unknown> | Promise<Snapshot<unknown>>;
  #isDue: boolean;
  /** Why it is asked for again. */
  #gap: Gap | undefined;

  constructor(ask: () => Snapshot<unknown> | Promise<Snapshot<unknown>>, isDue: boolean) {
    this.#ask = ask;
    this.#isDue = isDue;
  }

  get isDue(): boolean {
    return this.#isDue;
  }

  askAgain(gap: Gap): StreamError {
    this.#isDue = true;
    this.#gap = joinGaps(this.#gap, gap);
    return new StreamError('gap', 'Events may be missing: the snapshot is taken again.', 'resume', { gap });
  }

  async take(): Promise<TakenSnapshot> {
    const { value, index, epoch } = await this.#answer();
    const gap = this.#gap;
    const batch = { index: Math.max(0, index - 1), events: [], snapshot: value, ...(gap && { gap }) };
    return { position: { index, ...(epoch !== undefined && { epoch }) }, batch };
  }

  taken(): void {
    this.#isDue = false;
    this.#gap = undefined;
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

const support: SnapshotSupport = { part: 'snapshots', open: (ask, isDue) => new HostSnapshots(ask, isDue) };

/** The option `snapshot`. See {@link StreamFeatures}. */
export const snapshots: StreamPart<'snapshots'> = support;
