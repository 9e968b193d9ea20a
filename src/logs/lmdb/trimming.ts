import type { Clock } from '../../model/clock.ts';
import type { Retention } from '../../core/log/event-log.ts';
import { isOldestDue } from '../retention.ts';
import type { RetainedRecord, RetainedTotals } from '../retention.ts';
import type { LogPosition, LogStore } from './log-store.ts';

/** One commit drops at most so many records, twice as many as it appends, so that retention keeps pace … */
const SLICE_RECORDS = 1024;
/** … and reads about so much for it, which bounds how long the event loop is held. */
const SLICE_BYTES = 8 * 1024 * 1024;

interface PendingTrim {
  readonly retention: Retention;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface TrimmingOptions {
  readonly store: LogStore;
  readonly clock: Clock;
  readonly retention: Retention;
}

/**
 * What has to go: by the log's own retention and by the trims that were asked for. It decides; the commits carry it
 * out.
 */
export class Trimming {
  readonly #options: TrimmingOptions;
  #pending: PendingTrim[] = [];
  #oldestRecord: { readonly index: number; readonly record: RetainedRecord } | undefined;

  constructor(options: TrimmingOptions) {
    this.#options = options;
  }

  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  /** Resolves when a commit left nothing that `retention` does not keep. */
  ask(retention: Retention): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ retention, resolve, reject });
    });
  }

  /** How many of the oldest records go with the next commit, and their bytes. */
  dueIn(position: LogPosition): RetainedTotals {
    let records = 0;
    let bytes = 0;
    const held = heldIn(position);
    if (held.records === 0) return { records, bytes };
    for (const oldest of this.#options.store.oldest(position.first)) {
      const rest = { records: held.records - records, bytes: held.bytes - bytes };
      if (rest.records === 0 || !this.#isDue(oldest, rest)) break;
      records += 1;
      bytes += oldest.bytes;
      if (records === SLICE_RECORDS || bytes > SLICE_BYTES) break;
    }
    return { records, bytes };
  }

  isDueIn(position: LogPosition): boolean {
    const oldest = this.#oldestIn(position);
    return oldest !== undefined && this.#isDue(oldest, heldIn(position));
  }

  /** Tells the trims that are done. */
  settle(position: LogPosition): void {
    if (!this.hasPending) return;
    const oldest = this.#oldestIn(position);
    const held = heldIn(position);
    const now = this.#options.clock.now();
    const isLeft = ({ retention }: PendingTrim) => oldest !== undefined && isOldestDue(oldest, held, retention, now);
    const done = this.#pending.filter((trim) => !isLeft(trim));
    this.#pending = this.#pending.filter(isLeft);
    for (const trim of done) trim.resolve();
  }

  fail(error: unknown): void {
    for (const trim of this.#pending.splice(0)) trim.reject(error);
  }

  /** When the oldest record will be too old, in ms from now; undefined when none ever is. */
  nextDueInMs(position: LogPosition): number | undefined {
    const { maxAgeMs } = this.#options.retention;
    const oldest = maxAgeMs === undefined ? undefined : this.#oldestIn(position);
    if (maxAgeMs === undefined || oldest === undefined) return undefined;
    return oldest.time + maxAgeMs + 1 - this.#options.clock.now();
  }

  #isDue(oldest: RetainedRecord, held: RetainedTotals): boolean {
    const { clock, retention } = this.#options;
    const now = clock.now();
    return (
      isOldestDue(oldest, held, retention, now) ||
      this.#pending.some((trim) => isOldestDue(oldest, held, trim.retention, now))
    );
  }

  /** Read once for each `first`: its value may be large. */
  #oldestIn({ first, head }: LogPosition): RetainedRecord | undefined {
    if (first > head) return undefined;
    if (this.#oldestRecord?.index !== first) {
      this.#oldestRecord = undefined;
      for (const record of this.#options.store.oldest(first)) {
        this.#oldestRecord = { index: first, record };
        break;
      }
    }
    return this.#oldestRecord?.record;
  }
}

function heldIn({ first, head, bytes }: LogPosition): RetainedTotals {
  return { records: head - first + 1, bytes };
}
