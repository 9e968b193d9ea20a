import type { BatchPart } from './encoded-batch.ts';
import type { BrokerError } from '../../model/errors.ts';
import type { Gap } from '../../model/event.ts';

/**
 * How a stream stands in bytes: ndjson, server-sent events, a frame of your own. Stateless, so that readers can share
 * what is encoded; use one object for all streams of a kind.
 */
export interface StreamFormat {
  /** What stands before all else, once. Default nothing. */
  readonly opening?: string;
  /** @param part its `line` ends with its newline */
  batch(part: Pick<BatchPart, 'index' | 'line'>): string;
  gap(gap: Gap): string;
  /** The format to go on with after a gap: for one that names the epoch. Default the same. */
  after?(gap: Gap): StreamFormat;
  /** @param bookmark newest index that was passed, where the reader asked for bookmarks */
  heartbeat(bookmark: number | undefined): string;
  /** The stream's last words. */
  error(error: BrokerError): string;
  /** The bytes to write for a stretch of text that the other methods made. */
  encode(text: string): Uint8Array;
}
