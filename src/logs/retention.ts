import { checkNumber, notNegative } from '../model/numbers.ts';
import { checkOptions } from '../model/options.ts';
import type { OptionNames } from '../model/options.ts';
import type { Retention } from '../core/log/event-log.ts';

const knownBounds: OptionNames<Retention> = { maxRecords: true, maxAgeMs: true, maxBytes: true };

/** A record, as far as retention looks at it. */
export interface RetainedRecord {
  readonly time: number;
  readonly bytes: number;
}

/** What a log holds, as far as retention looks at it. */
export interface RetainedTotals {
  readonly records: number;
  readonly bytes: number;
}

/** @throws TypeError for a bound that is not known, or no number ≥ 0 */
export function checkRetention(retention: Retention): Retention {
  checkOptions<Retention>(retention, knownBounds, 'retention');
  for (const name of ['maxRecords', 'maxAgeMs', 'maxBytes'] as const) {
    const bound = retention[name];
    if (bound !== undefined) checkNumber(`retention.${name}`, bound, notNegative);
  }
  return retention;
}

/** Whether the oldest record has to go. Bounds that are not given keep everything. */
export function isOldestDue(oldest: RetainedRecord, held: RetainedTotals, retention: Retention, now: number): boolean {
  const { maxRecords = Infinity, maxBytes = Infinity, maxAgeMs = Infinity } = retention;
  return held.records > maxRecords || held.bytes > maxBytes || now - oldest.time > maxAgeMs;
}
