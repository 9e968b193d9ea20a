import type { EventLog, TailHandler } from '../../src/core/log/event-log.ts';

/** `log`, but for the members in `changes`. */
export function logAround(log: EventLog, changes: Partial<EventLog>): EventLog {
  return {
    capabilities: log.capabilities,
    state: () => log.state(),
    append: (body, options) => log.append(body, options),
    read: (from, to, options) => log.read(from, to, options),
    ...(log.pinned && { pinned: (options) => (log as Required<EventLog>).pinned(options) }),
    tail: (after, handler) => log.tail(after, handler),
    ...(log.trim && { trim: (retention) => (log as Required<EventLog>).trim(retention) }),
    close: () => log.close(),
    ...changes,
  };
}

/** `log`, and the handler of its newest tail: what a test tells it comes beside what the log tells. */
export function tellingLog(log: EventLog, changes: Partial<EventLog> = {}): { log: EventLog; handler(): TailHandler } {
  let newest: TailHandler | undefined;
  const tail: EventLog['tail'] = (after, handler) => {
    newest = handler;
    return log.tail(after, handler);
  };
  const handler = (): TailHandler => {
    if (newest === undefined) throw new Error('Nobody follows the log.');
    return newest;
  };
  return { log: logAround(log, { tail, ...changes }), handler };
}
