import { joinGaps, type Gap } from '../model/gap.ts';
import { StreamError } from './stream-error.ts';
import type { StreamPart } from './stream-features.ts';
import type { Snapshot } from './stream-options.ts';
import type { ExtendingPart } from './stream-parts.ts';
import type { Prepared } from './stream-settings.ts';

/** The host's own state, asked for first and after each gap. */
export class HostSnapshots {
  readonly #ask: () => Snapshot<unknown> | Promise<Snapshot<unknown>>;
  /** Why it is asked for again. */
  #gap: Gap | undefined;

  constructor(ask: () => Snapshot<unknown> | Promise<Snapshot<unknown>>) {
    this.#ask = ask;
  }

  /** Events are missing: @returns what ends the connection, so that the next begins behind a new snapshot */
  missing(gap: Gap): StreamError {
    this.#gap = joinGaps(this.#gap, gap);
    return new StreamError('gap', 'Events may be missing: the snapshot is taken again.', 'resume', { gap });
  }

  /**
   * @returns what gives it over. Until then nothing has changed: an answer that comes too late must not count.
   * @throws StreamError `snapshot_failed`, which is tried again
   */
  async take(): Promise<() => Prepared> {
    const { value, index, epoch } = await this.#answer();
    return () => {
      const gap = this.#gap;
      this.#gap = undefined;
      const batch = { index: Math.max(0, index - 1), events: [], snapshot: value, ...(gap && { gap }) };
      return { position: { index, ...(epoch !== undefined && { epoch }) }, batch };
    };
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

const part: ExtendingPart<'snapshots'> = {
  part: 'snapshots',
  extend(settings, _stream, { snapshot, index, onGap }) {
    if (!snapshot) return;
    settings.snapshot = undefined;
    const snapshots = new HostSnapshots(snapshot);
    const prepare = async () => {
      const give = await snapshots.take();
      return () => {
        settings.prepare = undefined;
        return give();
      };
    };
    if (index === undefined) settings.prepare = prepare;
    if (onGap === 'fail') return;
    settings.onGap = (gap) => {
      if (typeof onGap === 'function') onGap(gap);
      settings.prepare = prepare;
      throw snapshots.missing(gap);
    };
  },
};

/** The option `snapshot`. See {@link StreamFeatures}. */
export const snapshots: StreamPart<'snapshots'> = part;
