import { BrokerError } from '../model/errors.ts';
import type { AppendResult } from '../core/log/event-log.ts';
import type { AppendRequest } from './append-request.ts';

/** Appends that wait for a commit hold at most so many bytes of bodies and keys … */
const MAX_PENDING_BYTES = 64 * 1024 * 1024;
/** … and are so many at most; further ones are refused. */
const MAX_PENDING_APPENDS = 65_536;

export interface PendingAppend {
  readonly request: AppendRequest;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: unknown) => void;
}

/** Appends that wait for the next commit of this process (group commit), in the order in which they came. */
export class AppendQueue {
  #appends: PendingAppend[] = [];
  #bytes = 0;

  get size(): number {
    return this.#appends.length;
  }

  /** @throws BrokerError `at_capacity` */
  add(request: AppendRequest): Promise<AppendResult> {
    const bytes = this.#bytes + request.bytes;
    if (bytes > MAX_PENDING_BYTES || this.size >= MAX_PENDING_APPENDS) {
      const limits = `${MAX_PENDING_APPENDS} appends or ${MAX_PENDING_BYTES} bytes`;
      throw new BrokerError('at_capacity', `More than ${limits} wait to be written; nothing was appended.`);
    }
    this.#bytes = bytes;
    return new Promise((resolve, reject) => this.#appends.push({ request, resolve, reject }));
  }

  /** Hands them over one by one, as long as there is room for another. */
  take(hasRoom: () => boolean, use: (append: PendingAppend) => void): void {
    let taken = 0;
    for (const append of this.#appends) {
      if (!hasRoom()) break;
      this.#bytes -= append.request.bytes;
      use(append);
      taken += 1;
    }
    this.#appends.splice(0, taken);
  }

  /** None of them is written. */
  fail(error: unknown): void {
    for (const { reject } of this.#appends.splice(0)) reject(error);
    this.#bytes = 0;
  }
}
