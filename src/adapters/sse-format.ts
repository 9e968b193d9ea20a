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
 * Newest formats that are kept, one for each epoch, and for each view of a state that rests on rights; an older one is
 * made anew, and its streams share less.
 */
const MAX_FORMATS = 4096;

const formats = new Map<string, StreamFormat>();

/**
 * Server-sent events (the HTML standard, section 9.2): a batch is an event whose data is the ndjson line and whose id
 * is a place to resume from; gaps and errors are the named events `gap` and `error` and have no id; that a state is
 * current is the event `current`; heartbeats are comments, with an id where bookmarks are asked for. JSON text holds no
 * line break, so no payload can forge a field. One object for all streams of an epoch, so that they share their chunks.
 * @param epoch stands in the ids
 * @throws TypeError for an epoch that holds a line break
 */
export function sseFormat(epoch: string): StreamFormat {
  return formatFor(epoch, undefined);
}

function formatFor(epoch: string, view: string | undefined): StreamFormat {
  const place = view === undefined ? epoch : `${epoch}/${view}`;
  const known = formats.get(place);
  if (known) return known;
  const format = makeFormat(epoch, place);
  const [oldest] = formats.keys();
  if (formats.size >= MAX_FORMATS && oldest !== undefined) formats.delete(oldest);
  formats.set(place, format);
  return format;
}

function makeFormat(epoch: string, place: string): StreamFormat {
  if (/[\r\n\0]/.test(epoch)) throw new TypeError('An epoch must not hold line breaks.');
  return Object.freeze({
    opening: () => `retry: ${reconnectMs()}\n\n`,
    batch: ({ index, line }: { readonly index: number; readonly line: string }) =>
      `id: ${place}:${index}\ndata: ${line}\n`,
    gap: (gap: Gap) => `event: gap\ndata: ${JSON.stringify(wireGap(gap))}\n\n`,
    current: (index: number) => `id: ${place}:${index}\nevent: current\ndata: {"Index":${index}}\n\n`,
    after: ({ epoch: next = epoch }: Gap) => sseFormat(next),
    withView: (view: string) => formatFor(epoch, view),
    heartbeat: (bookmark: number | undefined) =>
      bookmark === undefined ? ':\n\n' : `: ${bookmark}\nid: ${place}:${bookmark}\n\n`,
    error: (error: BrokerError) => `event: error\ndata: ${JSON.stringify(error.toWire().Error)}\n\n`,
    encode: (text: string) => encoder.encode(text),
  });
}

/**
 * The place that `Last-Event-ID` names.
 * @param where it stood, for the message
 * @param isState it may name a view of a state
 * @throws BrokerError `bad_request` for one that no stream of ours sent
 */
export function parseLastEventId(
  id: string,
  where = 'Header Last-Event-ID',
  isState = false,
): { readonly epoch: string; readonly index: number; readonly mark?: string } {
  const [, epoch = '', digits = ''] = /^(.+):(\d+)$/s.exec(id) ?? [];
  const index = Number(digits) + 1;
  if (epoch === '' || !Number.isSafeInteger(index))
    throw new BrokerError('bad_request', `${where} must be an id of this stream, "<epoch>:<index>".`);
  const [, run, view] = (isState && /^(.+)\/([0-9a-z]{1,11})$/s.exec(epoch)) || [];
  return run !== undefined && view !== undefined ? { epoch: run, index, mark: view } : { epoch, index };
}
