import type { Gap } from '../model/gap.ts';
import { wireGap } from '../model/errors.ts';
import type { Greeting, StreamFormat } from '../core/batch/stream-format.ts';

const encoder = new TextEncoder();

/**
 * Newline-delimited JSON, as Nomad streams it: one line per batch; PROTOCOL.md has every kind of line. Those that are
 * no batch hold an empty list of events: clients of Nomad that read the events of every line find none.
 */
export const ndjsonFormat: StreamFormat = Object.freeze({
  batch: ({ line }: { readonly line: string }) => line,
  gap: (gap: Gap) => `${JSON.stringify({ Gap: wireGap(gap), Events: [] })}\n`,
  current: (index: number) => `${JSON.stringify({ Current: { Index: index }, Events: [] })}\n`,
  heartbeat,
  error: (error) => `${JSON.stringify({ ...error.toWire(), Events: [] })}\n`,
  encode: (text: string) => encoder.encode(text),
} satisfies StreamFormat);

/** `{}`; with bookmarks `{"Index":812}`, the first of them with what else the response's headers say. */
function heartbeat(bookmark: number | undefined, greeting?: Greeting): string {
  if (greeting === undefined) return bookmark === undefined ? '{}\n' : `{"Index":${bookmark}}\n`;
  const { epoch, heartbeatMs, mark } = greeting;
  return `${JSON.stringify({ Index: bookmark, Epoch: epoch, HeartbeatMs: heartbeatMs, Mark: mark })}\n`;
}
