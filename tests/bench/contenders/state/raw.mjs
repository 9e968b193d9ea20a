// The reference: the state's bytes are there already.
import { eventMaker, keyOf, wireBatch } from '../../lib/events.mjs';
import { serveLive } from '../http/live-loop.mjs';
import { inPieces, writeAll } from '../http/pieces.mjs';

export function create({ keys, bytes }) {
  const make = eventMaker(bytes);
  const lines = Array.from({ length: keys }, (_, i) => `${JSON.stringify(wireBatch(make(keyOf(i), false), i + 1))}\n`);
  const pieces = inPieces(Buffer.from(`${lines.join('')}{"Current":{"Index":${keys}},"Events":[]}\n`));
  return serveLive(keys, (response) => writeAll(response, pieces));
}
