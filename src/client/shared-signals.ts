import { onAbort } from '../model/on-abort.ts';
import type { StreamPart } from './stream-features.ts';
import type { SharedSignals } from './stream-parts.ts';

const support: SharedSignals = { part: 'signals', onAbort };

/** Lets many streams share one listener on a signal. See {@link StreamFeatures}. */
export const signals: StreamPart<'signals'> = support;
