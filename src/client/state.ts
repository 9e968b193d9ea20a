import type { ObjectKey } from '../model/event.ts';
import type { StreamPart } from './stream-features.ts';
import { StatePosition } from './state-position.ts';
import type { StateSupport } from './stream-parts.ts';
import { indexOf, isObject, malformed, type StateLine, textOf, type Wire } from './wire.ts';

const support: StateSupport = { part: 'state', position: (place) => new StatePosition(place), read: readState };

/** The options `state` and `mark`. See {@link StreamFeatures}. */
export const state: StreamPart<'state'> = support;

/** What a line says of the state. @throws StreamError `malformed` */
export function readState({ Current, Removed, Mark }: Wire): StateLine {
  return {
    ...(isObject(Current) && { current: indexOf(Current.Index) }),
    ...(Array.isArray(Removed) && { removed: Removed.map(objectOf) }),
    ...(typeof Mark === 'string' && Mark && { mark: Mark }),
  };
}

function objectOf(wire: unknown): ObjectKey {
  if (!isObject(wire)) throw malformed();
  return { topic: textOf(wire.Topic), namespace: textOf(wire.Namespace), key: textOf(wire.Key) };
}
