import type { Gap } from '../model/event.ts';
import type { StreamFormat } from '../core/batch/stream-format.ts';

const encoder = new TextEncoder();

/** Newline-delimited JSON, as Nomad streams it: one line per batch; PROTOCOL.md has every kind of line. */
export const ndjsonFormat: StreamFormat = Object.freeze({
  batch: ({ line }: { readonly line: string }) => line,
  gap: (gap: Gap) => `${JSON.stringify({ Gap: wireGap(gap) })}\n`,
  heartbeat: (bookmark: number | undefined) => (bookmark === undefined ? '{}\n' : `{"Index":${bookmark}}\n`),
  error: (error) => `${JSON.stringify(error.toWire())}\n`,
  encode: (text: string) => encoder.encode(text),
} satisfies StreamFormat);

/** A gap as it stands on the wire. */
export function wireGap({ from, to, reason, epoch }: Gap): Readonly<Record<string, unknown>> {
  return { From: from, To: to, Reason: reason, ...(epoch === undefined ? {} : { Epoch: epoch }) };
}
