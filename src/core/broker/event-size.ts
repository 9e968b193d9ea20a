import type { Snapshot } from '../batch/payload-copy.ts';
import { limitError } from '../../model/limit-error.ts';
import type { EventMeta } from '../../model/event.ts';

/** A letter takes at most so many bytes of UTF-8: two where JSON has to write it as six, as `\u0001`. */
const MAX_NAME_LETTER_BYTES = 3;
const MAX_LETTER_BYTES = 6;

/** A payload that is no object or array has no place that is counted in its memory. */
const MAX_PLAIN_BYTES = 32;

/**
 * The length of JSON is known only by making it, which costs as much as all the rest of a publish that nobody reads as
 * bytes. But it has a bound in what was counted while the payload was copied: each letter takes at least one byte of
 * memory and at most six of JSON, a number or a literal has a place of eight and is at most 25 long. So the text is
 * made only for events that take more than a sixth of the limit.
 * @throws BrokerError `bad_request`
 */
export function checkEventSize(meta: EventMeta, { payload, bytes }: Snapshot, limit: number, at: string): void {
  const letters = lettersOf(meta);
  const most = MAX_LETTER_BYTES * bytes + MAX_PLAIN_BYTES + MAX_NAME_LETTER_BYTES * letters;
  if (most <= limit) return;
  const exact = Buffer.byteLength(JSON.stringify(payload)) + nameBytesOf(meta);
  if (exact > limit)
    throw limitError(
      'bytesPerEvent',
      `${at} takes ${exact} bytes; at most ${limit} are allowed. Nothing was published.`,
    );
}

const namesOf = ({ topic, type, key, namespace, filterKeys }: EventMeta): readonly string[] => [
  topic,
  type,
  key,
  namespace,
  ...filterKeys,
];

function lettersOf({ topic, type, key, namespace, filterKeys }: EventMeta): number {
  let letters = topic.length + type.length + key.length + namespace.length;
  for (const filterKey of filterKeys) letters += filterKey.length;
  return letters;
}

const nameBytesOf = (meta: EventMeta): number =>
  namesOf(meta).reduce((bytes, name) => bytes + Buffer.byteLength(name), 0);
