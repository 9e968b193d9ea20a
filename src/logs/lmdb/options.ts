import { checkNumber, checkNumbers, notNegative, positive } from '../../model/numbers.ts';
import type { Clock } from '../../model/clock.ts';
import { checkOptions } from '../../model/options.ts';
import type { OptionNames } from '../../model/options.ts';
import type { LogCapabilities, Retention } from '../../core/log/event-log.ts';
import { checkRetention } from '../retention.ts';
import type { LogStoreOptions } from './log-store.ts';

/** Largest body: what one record may take of a commit's memory, far below LMDB's own limit. */
const MAX_RECORD_BYTES = 16 * 1024 * 1024;

export interface LmdbEventLogOptions {
  /** Folder of the log, made when it is missing. On a local disk: LMDB does not work over network file systems. */
  readonly path: string;
  /**
   * What an acknowledged append outlives. `'disk'` (default): a power loss. `'os'`: the process; appends do not wait
   * for the disk, and a power loss (not a kill) may damage the whole file, which then has to be deleted. For events
   * that are not missed after that.
   */
  readonly durability?: 'disk' | 'os';
  /**
   * What is kept; default everything. Trimmed in the background, in small slices with the commits. Age is looked at
   * once per second. `maxBytes` counts records, not the file: freed pages are used again, the file never shrinks.
   * Records that are pinned outlive it and do not count.
   */
  readonly retention?: Retention;
  /** For how long the id of an append is recognised, also across restarts. Default two minutes; 0: ids are refused. */
  readonly dedupeWindowMs?: number;
  /** Address space to map at first. Default LMDB's own, which grows by itself. */
  readonly mapSizeBytes?: number;
  /**
   * Opens a log that another process writes: `append` and `trim` are refused with `not_supported`, tails look for new
   * records every `pollMs`, and for a folder that was deleted or made anew. Such a reader may see a record shortly
   * before it is acknowledged to its writer. Not within the writer's own process.
   */
  readonly readOnly?: boolean;
  /** How often a `readOnly` log with tails looks for new records. Default 50 ms. */
  readonly pollMs?: number;
  readonly clock?: Clock;
}

const knownOptions: OptionNames<LmdbEventLogOptions> = {
  path: true,
  durability: true,
  retention: true,
  dedupeWindowMs: true,
  mapSizeBytes: true,
  readOnly: true,
  pollMs: true,
  clock: true,
};

/** @throws TypeError naming the option and what is allowed */
export function checkLmdbOptions(options: LmdbEventLogOptions): void {
  checkOptions<LmdbEventLogOptions>(options, knownOptions, 'LmdbEventLog.open');
  const { path, durability, retention, dedupeWindowMs = 0, mapSizeBytes = 1, pollMs = 1 } = options;
  if (typeof path !== 'string' || path === '') throw new TypeError('path must name the folder of the log.');
  if (durability !== undefined && durability !== 'disk' && durability !== 'os') {
    throw new TypeError(`durability must be 'disk' or 'os'; got ${String(durability)}.`);
  }
  if (retention) checkRetention(retention);
  checkNumber('dedupeWindowMs', dedupeWindowMs, notNegative);
  checkNumbers({ mapSizeBytes, pollMs }, positive);
}

export function capabilitiesOf({
  durability = 'disk',
  dedupeWindowMs = 120_000,
}: LmdbEventLogOptions): LogCapabilities {
  return Object.freeze({
    shared: false,
    durability,
    dedupeWindowMs,
    compareAndAppend: true,
    maxRecordBytes: MAX_RECORD_BYTES,
    dense: true,
    pins: true,
  });
}

export function storeOptions(options: LmdbEventLogOptions): LogStoreOptions {
  const { path, readOnly = false, durability = 'disk', mapSizeBytes } = options;
  return { path, readOnly, durability, mapSizeBytes };
}
