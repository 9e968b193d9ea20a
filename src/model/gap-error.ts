import { BrokerError } from './errors.ts';
import { isRestart, type Gap } from './gap.ts';

/** The error of a gap, for who asked to fail on one. It carries the gap. */
export function gapError(gap: Gap): BrokerError {
  const { from, to, reason } = gap;
  if (reason === 'state') {
    const message = 'What changed in the state can no longer be told one by one: read the whole of it.';
    return new BrokerError('gap', message, { gap });
  }
  if (isRestart(gap)) {
    const message = `The indexes begin anew: what came from ${from} on is not known here.`;
    return new BrokerError('restarted', message, { gap });
  }
  return new BrokerError(reason === 'slow' ? 'slow' : 'gap', `Batches ${from} to ${to} were trimmed.`, { gap });
}
