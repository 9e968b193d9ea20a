import { randomUUID } from 'node:crypto';

import { BrokerError } from '../../model/errors.ts';
import type { AppendResult } from '../../core/log/event-log.ts';
import { AppendBounds } from '../append-bounds.ts';
import { indexConflict } from '../append-request.ts';
import type { AppendRequest } from '../append-request.ts';
import type { LogStream } from './log-stream.ts';
import { aclSubject } from './stream-config.ts';
import { pause, untilAborted } from '../wait.ts';

const LONGEST_PAUSE_MS = 250;
/** The server's codes for a message over the stream's limit, and for an id that is being stored this very moment. */
const MESSAGE_TOO_LARGE = 10_054;
const ID_IN_PROCESS = 10_158;
/**
 * Appends. Each append has an id, its own when the caller gave none, so that one that is sent again because no
 * acknowledgement came makes no second record. It holds a body until the append ends, within {@link AppendBounds}.
 */
export class RecordPublisher {
  readonly #stream: LogStream;
  readonly #closed: AbortSignal;
  readonly #bounds = new AppendBounds();

  constructor(stream: LogStream, closed: AbortSignal) {
    this.#stream = stream;
    this.#closed = closed;
  }

  /** @throws BrokerError `at_capacity`, and what an append fails with */
  async append(request: AppendRequest): Promise<AppendResult> {
    const { signal, body } = request;
    this.#bounds.take(body.byteLength);
    const append = new Append(this.#stream, request, this.#closed);
    return untilAborted(
      append.run().finally(() => this.#bounds.release(body.byteLength)),
      signal,
    );
  }
}

/** One append with all its tries. */
class Append {
  readonly #stream: LogStream;
  readonly #request: AppendRequest;
  readonly #closed: AbortSignal;
  readonly #id: string;
  readonly #deadline: number;
  /** No try may have been stored: each was refused, or met no server. */
  #isAbsent = true;

  constructor(stream: LogStream, request: AppendRequest, closed: AbortSignal) {
    this.#stream = stream;
    this.#request = request;
    this.#closed = closed;
    this.#id = request.id === undefined ? randomUUID() : headerSafe(request.id);
    this.#deadline = performance.now() + stream.settings.appendTimeoutMs;
  }

  async run(): Promise<AppendResult> {
    let failure: Error | undefined;
    for (let tries = 0; ; tries++) {
      await this.#rest(tries);
      if (!this.#mayTry()) throw this.#givenUp(failure);
      const outcome = await this.#try();
      if (!(outcome instanceof Error)) return outcome;
      failure = outcome;
    }
  }

  /** An error is one that may pass. @throws BrokerError for a refusal that does not */
  async #try(): Promise<AppendResult | Error> {
    const { body, kind, id, expectedHead } = this.#request;
    const { subject, stream, publishTimeoutMs } = this.#stream.settings;
    try {
      const publishing = this.#stream.client.publish(kind === 'acl' ? aclSubject(subject) : subject, body, {
        msgID: this.#id,
        timeout: Math.min(publishTimeoutMs, this.#leftMs),
        expect: { streamName: stream, ...(expectedHead === undefined ? {} : { lastSequence: expectedHead }) },
      });
      const { seq, duplicate } = await this.#stream.connectionWatch.unlessBroken(publishing);
      // With an id of our own, the earlier append of that id can only be a try of this one.
      return { index: seq, duplicate: duplicate && id !== undefined };
    } catch (error) {
      if (error instanceof this.#stream.api.JetStreamApiError) await this.#refuse(error.code, error.status, error);
      else if (!meansNoServer(error)) this.#isAbsent = false;
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  /** Returns when the refusal may pass: a stream without a leader, or one that is out of resources. */
  async #refuse(code: number, status: number, cause: Error): Promise<void> {
    const { StreamWrongLastSequence, StreamWrongLastSequenceUnknown } = this.#stream.api.JetStreamApiCodes;
    if (code === StreamWrongLastSequence || code === StreamWrongLastSequenceUnknown) throw await this.#conflict();
    if (code === MESSAGE_TOO_LARGE) {
      throw new BrokerError('bad_request', 'The record is larger than the stream takes; nothing was stored.', {
        cause,
      });
    }
    if (status >= 500 || code === ID_IN_PROCESS) return;
    throw new BrokerError('log_unavailable', 'The stream refused the record; nothing was stored.', { cause });
  }

  async #conflict(): Promise<BrokerError> {
    const { head } = await this.#stream.state();
    return indexConflict(this.#request.expectedHead ?? head, head);
  }

  /** While there is no connection, what is sent would be thrown away or, worse, be sent much later. */
  async #rest(tries: number): Promise<void> {
    const { signal = this.#closed } = this.#request;
    if (tries > 0) await pause(Math.min(LONGEST_PAUSE_MS, this.#leftMs, 10 * 2 ** tries), signal);
    await this.#stream.connectionWatch.untilBack(this.#leftMs, signal);
  }

  /** A try that is cut short would end without an answer, and then nothing could be said of the record. */
  #mayTry(): boolean {
    if (this.#closed.aborted || this.#request.signal?.aborted) return false;
    const { connection, publishTimeoutMs } = this.#stream.settings;
    return this.#leftMs > publishTimeoutMs / 2 && !connection.isClosed();
  }

  get #leftMs(): number {
    return this.#deadline - performance.now();
  }

  #givenUp(cause: Error | undefined): BrokerError {
    const code = this.#closed.aborted ? 'closed' : 'log_unavailable';
    const what = this.#closed.aborted ? 'The log was closed' : 'The log did not acknowledge the record in time';
    const outcome = this.#isAbsent ? 'nothing was stored' : 'it is not known whether it was stored';
    return new BrokerError(code, `${what}; ${outcome}.`, { cause });
  }
}

/** Nobody took the message. The package exports the class of this error in no other way. */
function meansNoServer(error: unknown): boolean {
  return error instanceof Error && error.name === 'JetStreamNotEnabled';
}

/**
 * An id as a header can carry it: different ids stay different, also those with line breaks, or blanks at their ends.
 */
function headerSafe(id: string): string {
  return encodeURIComponent(Buffer.from(id).toString());
}
