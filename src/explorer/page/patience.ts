/**
 * Asks a server something. The signal that `ask` gets is aborted when the time is up, when nobody waits any more, and
 * when it is over: an answer that was not read to its end is let go.
 * @param signal aborted when nobody waits any more
 */
export async function withPatience<R>(
  ms: number,
  signal: AbortSignal | null | undefined,
  ask: (signal: AbortSignal) => Promise<R>,
): Promise<R> {
  const asking = new AbortController();
  const giveUp = (): void => asking.abort();
  const timer = setTimeout(giveUp, ms);
  signal?.addEventListener('abort', giveUp);
  try {
    return await ask(asking.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', giveUp);
    giveUp();
  }
}
