import type { BrokerError } from '../../model/errors.ts';
import type { Gap } from '../../model/gap.ts';

/** A batch, as a format gets it. */
export interface FormattableBatch {
  readonly index: number;
  /** The line of ndjson that holds it, with its newline. */
  readonly line: string;
}

/** What a stream's first heartbeat can say to who asked for bookmarks. */
export interface Greeting {
  readonly epoch: string;
  /** Time between heartbeats, in ms: so long without a byte, and twice that again, and the peer is dead. */
  readonly heartbeatMs: number;
  /** Of a state: which one it is. Who resumes says it. */
  readonly mark?: string;
}

/**
 * How a stream stands in bytes: ndjson, server-sent events, a frame of your own. Stateless, so that readers can share
 * what is encoded; use one object for all streams of a kind.
 */
export interface StreamFormat {
  /** What stands before all else, once; a function is asked for each stream. Default nothing. */
  readonly opening?: string | (() => string);
  /** @param part its `line` ends with its newline */
  batch(part: FormattableBatch): string;
  gap(gap: Gap): string;
  /** The state is complete, and current at this index. Default nothing: its readers are not told. */
  current?(index: number): string;
  /** The format to go on with after a gap: for one that names the epoch. Default the same. */
  after?(gap: Gap): StreamFormat;
  /**
   * For a state that rests on rights: the format whose places to resume from name this view, so that who comes back
   * with other rights is told. Default the same.
   */
  withView?(view: string): StreamFormat;
  /**
   * @param bookmark newest index that was passed, where the reader asked for bookmarks
   * @param greeting with the first one of a stream with bookmarks
   */
  heartbeat(bookmark: number | undefined, greeting?: Greeting): string;
  /** The stream's last words. */
  error(error: BrokerError): string;
  /** The bytes to write for a stretch of text that the other methods made. */
  encode(text: string): Uint8Array;
}
