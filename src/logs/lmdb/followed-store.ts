import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import { BrokerError } from '../../model/errors.ts';
import type { LogRecord, LogState, PinnedRecord } from '../../core/log/event-log.ts';
import type { RecordSource } from '../record-source.ts';
import { LogStore } from './log-store.ts';
import type { LogStoreOptions } from './log-store.ts';

/**
 * The store of a log that another process writes. Its folder may be deleted and made anew, while what was opened before
 * goes on as if nothing had happened: so the file is looked at, and what stands in its place is opened in its stead.
 */
export class FollowedStore implements RecordSource {
  readonly #options: LogStoreOptions;
  #store: LogStore;
  #file: string | undefined;
  #outage: BrokerError | undefined;
  #looking: Promise<void> | undefined;

  private constructor(options: LogStoreOptions, store: LogStore, file: string | undefined) {
    this.#options = options;
    this.#store = store;
    this.#file = file;
  }

  /**
   * @throws BrokerError `log_unavailable` when the folder holds no log that can be opened, `not_supported` without
   * `lmdb`
   */
  static async open(options: LogStoreOptions): Promise<FollowedStore> {
    // Asked first: should the file be replaced before it is opened, the next look opens it once more.
    const file = await fileIn(options.path);
    return new FollowedStore(options, await LogStore.open(options), file);
  }

  /**
   * Opens what stands in the store's place, if it is another one. Never fails: {@link state} does, while there is none.
   */
  look(): Promise<void> {
    return (this.#looking ??= this.#look().finally(() => (this.#looking = undefined)));
  }

  /**
   * With what the other process has committed.
   * @throws BrokerError `log_unavailable` where the last look found no log
   */
  state(): LogState {
    if (this.#outage) throw this.#outage;
    this.#store.refresh();
    const { epoch, first, head } = this.#store.state();
    return { epoch, first, head };
  }

  slice(from: number, to: number, maxBytes: number): readonly LogRecord[] {
    return this.#store.slice(from, to, maxBytes);
  }

  pinnedSlice(after: number, before: number, maxBytes: number): readonly PinnedRecord[] {
    return this.#store.pinnedSlice(after, before, maxBytes);
  }

  async close(): Promise<void> {
    await this.#looking;
    await this.#store.close();
  }

  async #look(): Promise<void> {
    const { path } = this.#options;
    const file = await fileIn(path);
    if (file === undefined) {
      this.#outage = new BrokerError('log_unavailable', `The event log in ${path} was deleted.`);
      return;
    }
    try {
      if (file !== this.#file) await this.#replace(file);
      this.#outage = undefined;
    } catch (error) {
      this.#outage = BrokerError.from(error);
    }
  }

  async #replace(file: string): Promise<void> {
    const before = this.#store;
    this.#store = await LogStore.open(this.#options);
    this.#file = file;
    await before.close();
  }
}

/**
 * Names the file itself, wherever its folder is moved; undefined when there is none. It cannot be another one's name
 * while it is open.
 */
async function fileIn(path: string): Promise<string | undefined> {
  const found = await stat(join(path, 'data.mdb')).catch(() => undefined);
  return found && `${found.dev} ${found.ino}`;
}
