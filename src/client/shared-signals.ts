import { onAbort } from '../model/on-abort.ts';
import type { StreamPart } from './stream-features.ts';
import type { ExtendingPart } from './stream-parts.ts';

const part: ExtendingPart<'signals'> = {
  part: 'signals',
  extend(settings) {
    settings.onAbort = onAbort;
  },
};

/** Lets many streams share one listener on a signal. See {@link StreamFeatures}. */
export const signals: StreamPart<'signals'> = part;
