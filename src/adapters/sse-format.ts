import { BrokerError, wireGap } from '../model/errors.ts';
import type { Gap } from '../model/gap.ts';
import type { StreamFormat } from '../core/batch/stream-format.ts';

/**
 * How long a browser waits before it reconnects, in ms: from one second to three, another for each stream. Browsers add
 * nothing of their own, and those that were cut off together would come back in one instant.
 */
const reconnectMs = (): number => 1000 + Math.floor(Math.random() * 2000);

const encoder = new TextEncoder();

/**
 * Newest formats that are kept, one for each epoch; a process rarely has more brokers. An older one is made anew, and
 * its streams share less.
 */
const MAX_FORMATS = 64;

const formats = new Map<string, StreamFormat>();

/**
 * Server-sent events (the HTML standard, section 9.2): a batch is an event whose data is the ndjson line and whose id
 * is a place to resume from; gaps and errors are the named events `gap` and `error` and have no id; heartbeats are
 * comments, with an id where bookmarks are asked for. JSON text holds no line break, so no payload can forge a field.
 * One object for all streams of an epoch, so that they share their chunks.
 * @param epoch stands in the ids
 * @throws TypeError for an epoch that holds a line break
 */
export function sseFormat(epoch: string): StreamFormat {
  const known = formats.get(epoch);
  if (known) return known;
  const format = makeFormat(epoch);
  const [oldest] = formats.keys();
  if (formats.size >= MAX_FORMATS && oldest !== undefined) formats.delete(oldest);
  formats.set(epoch, format);
  return format;
}

function makeFormat(epoch: string): StreamFormat {
  if (/[\r\n\0]/.test(epoch)) throw new TypeError('An epoch must not hold line breaks.');
  return Object.freeze({
    opening: () => `retry: ${reconnectMs()}\n\n`,
    batch: ({ index, line }: { readonly index: number; readonly line: string }) =>
      `id: ${epoch}:${index}\ndata: ${line}\n`,
    gap: (gap: Gap) => `event: gap\ndata: ${JSON.stringify(wireGap(gap))}\n\n`,
    current: (index: number) => `id: ${epoch}:${index}\nevent: current\ndata: {"Index":${index}}\n\n`,
    after: ({ epoch: next = epoch }: Gap) => sseFormat(next),
    heartbeat: (bookmark: number | undefined) =>
      bookmark === undefined ? ':\n\n' : `: ${bookmark}\nid: ${epoch}:${bookmark}\n\n`,
    error: (error: BrokerError) => `event: error\ndata: ${JSON.stringify(error.toWire().Error)}\n\n`,
    encode: (text: string) => encoder.encode(text),
  });
}

/**
 * The place that `Last-Event-ID` names.
 * @param where it stood, for the message
 * @throws BrokerError `bad_request` for one that no stream of ours sent
 */
export function parseLastEventId(
  id: string,
  where = 'Header Last-Event-ID',
): { readonly epoch: string; readonly index: number } {
  const colon = id.lastIndexOf(':');
  const index = Number(id.slice(colon + 1));
  if (colon > 0 && /^\d+$/.test(id.slice(colon + 1)) && Number.isSafeInteger(index + 1)) {
    return { epoch: id.slice(0, colon), index: index + 1 };
  }
  throw new BrokerError('bad_request', `${where} must be an id of this stream, "<epoch>:<index>".`);
}
