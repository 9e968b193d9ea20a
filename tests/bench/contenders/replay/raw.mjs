// The lines are held ready, and written one by one, as a loop by hand does.
import { eventMaker, keyOf, wireBatch } from '../../lib/events.mjs';
import { serveLive } from '../http/live-loop.mjs';
import { inPieces, writeAll } from '../http/pieces.mjs';

export function create({ keys, bytes, isReady = false }) {
  const make = eventMaker(bytes);
  const lines = Array.from({ length: keys }, (_, i) =>
    Buffer.from(`${JSON.stringify(wireBatch(make(keyOf(i), false), i + 1))}\n`),
  );
  const parts = isReady ? inPieces(Buffer.concat(lines)) : lines;
  return serveLive(keys, (response) => writeAll(response, parts));
}
