import type { EventLog } from '../../core/log/event-log.ts';

/**
 * How the contract suite gets at the log under test. `Storage` is whatever tells one test's log from another's: a
 * folder, a name.
 */
export interface EventLogHarness<Storage> {
  /** New storage for one test, with no records on it. */
  prepare(): Promise<Storage>;
  /**
   * Opens a log on the storage. Called again after the log was closed and, when `isShared`, while another one is open.
   * The records of a test are small and at most some hundreds; retention must keep them.
   */
  open(storage: Storage): Promise<EventLog>;
  /** Called when a test is over and its logs are closed. */
  dispose(storage: Storage): Promise<void>;
  /**
   * Several handles may be open on one storage. Must be true when the log's capabilities say `shared`. Default false.
   */
  readonly isShared?: boolean;
  /** Drops the records before `first`, for a log without `trim`. */
  trimTo?(storage: Storage, first: number): Promise<void>;
  /** Ends what keeps the records without warning and brings it back. Handles that were open go on by themselves. */
  kill?(storage: Storage): Promise<void>;
  /** Deletes the log and makes it anew, empty. */
  recreate?(storage: Storage): Promise<void>;
  /** Handles stay open over `recreate` and their tails tell of it. Default false: they are closed before. */
  readonly survivesRecreation?: boolean;
  /** How long a test waits for what has to happen. Default 30 s. */
  readonly deadlineMs?: number;
}

/** The test framework: `describe` and `it` of vitest, `node:test`, jest or mocha. */
export interface TestRunner {
  describe(name: string, body: () => void): unknown;
  it(name: string, body: () => Promise<void>): unknown;
}
