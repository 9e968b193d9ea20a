import { checkNumber, positive, whole } from '../model/numbers.ts';
import { checkOptions } from '../model/options.ts';
import type { OptionNames } from '../model/options.ts';
import type { ReadOptions } from '../core/log/event-log.ts';

/** How much is taken from a log at once, when the caller does not say. */
export const SLICE_BYTES = 1024 * 1024;

const knownOptions: OptionNames<ReadOptions> = { maxBytes: true, signal: true, epoch: true };

/** What `read` or `pinned` was asked for, checked. */
export interface ReadRequest {
  readonly maxBytes: number;
  readonly signal: AbortSignal | undefined;
  readonly epoch: string | undefined;
}

/** @throws TypeError for what is no index or size, and an option that is not known */
export function checkRead(from: number, options: ReadOptions): ReadRequest {
  const request = checkReadOptions(options, 'read');
  checkNumber('from', from, { ...whole(1), allowed: 'an index ≥ 1' });
  return request;
}

/** @throws TypeError for what is no size, and an option that is not known */
export function checkReadOptions(options: ReadOptions, of: 'read' | 'pinned'): ReadRequest {
  checkOptions<ReadOptions>(options, knownOptions, of);
  const { maxBytes = SLICE_BYTES, signal, epoch } = options;
  checkNumber('maxBytes', maxBytes, positive);
  return { maxBytes, signal, epoch };
}
