/**
 * Where a reader stands.
 *
 * - `behind`: there may be something to read. A transport reads a slice in the next flush; in process it waits for the
 *   next call
 * - `synced`: in step with the head, a member of its interest: it gets the shared chunk (transports only)
 * - `waiting`: it has read all it may; a match, a moved fence or other rights wake it
 * - `fetching`: what comes next is on its way from the log
 * - `blocked`: its transport pushes back, until it has drained
 * - `ended`: it gets nothing more
 */
export type ReaderStage = 'behind' | 'synced' | 'waiting' | 'fetching' | 'blocked' | 'ended';

/** What can happen to a reader. */
export type ReaderEvent =
  /** It has read up to the head and nothing limits it: from here on it is in step with the others. */
  | 'caught-up'
  /** It has read all it may, and is not in step. */
  | 'exhausted'
  /** What comes next is in the log. */
  | 'needs-log'
  /** There may be more to read: something matched, its fence moved, a chunk came from the log. */
  | 'woken'
  /** It has to read by itself from here on: a fence, other rights, another log. */
  | 'parted'
  /** Its transport took what was written, and can take no more now. */
  | 'blocked'
  /** Its transport can take more again. */
  | 'drained'
  /** It ends: closed by its owner, revoked, or failed. */
  | 'ended';

/**
 * Total: every event in every stage. What cannot happen there comes late, and changes nothing.
 * The table is the whole of the rule; what a stage does when it is entered stands in `Reader`.
 */
export const readerTransitions: Readonly<Record<ReaderStage, Readonly<Record<ReaderEvent, ReaderStage>>>> = {
  behind: {
    'caught-up': 'synced',
    exhausted: 'waiting',
    'needs-log': 'fetching',
    woken: 'behind',
    parted: 'behind',
    blocked: 'blocked',
    drained: 'behind',
    ended: 'ended',
  },
  synced: {
    'caught-up': 'synced',
    exhausted: 'synced',
    'needs-log': 'synced',
    // What matches reaches it through its interest.
    woken: 'synced',
    parted: 'behind',
    blocked: 'blocked',
    drained: 'synced',
    ended: 'ended',
  },
  waiting: {
    'caught-up': 'waiting',
    exhausted: 'waiting',
    'needs-log': 'fetching',
    woken: 'behind',
    parted: 'waiting',
    // By a heartbeat.
    blocked: 'blocked',
    drained: 'waiting',
    ended: 'ended',
  },
  fetching: {
    'caught-up': 'fetching',
    exhausted: 'fetching',
    'needs-log': 'fetching',
    woken: 'behind',
    parted: 'fetching',
    blocked: 'blocked',
    drained: 'fetching',
    ended: 'ended',
  },
  blocked: {
    'caught-up': 'blocked',
    exhausted: 'blocked',
    'needs-log': 'blocked',
    // It is asked again once it has drained.
    woken: 'blocked',
    parted: 'blocked',
    blocked: 'blocked',
    drained: 'behind',
    ended: 'ended',
  },
  ended: {
    'caught-up': 'ended',
    exhausted: 'ended',
    'needs-log': 'ended',
    woken: 'ended',
    parted: 'ended',
    blocked: 'ended',
    drained: 'ended',
    ended: 'ended',
  },
};
