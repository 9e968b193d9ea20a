import { StatePosition } from './state-position.ts';
import type { StreamPart } from './stream-features.ts';
import type { ExtendingPart } from './stream-parts.ts';

const part: ExtendingPart<'state'> = {
  part: 'state',
  extend(settings, _stream, options) {
    if (!options.state) return;
    settings.state = undefined;
    const { query } = settings;
    settings.query = (all) => {
      query?.(all);
      all.set('state', 'true');
    };
    settings.positionAt = (place) => new StatePosition(place);
  },
};

/** The options `state` and `mark`. See {@link StreamFeatures}. */
export const state: StreamPart<'state'> = part;
