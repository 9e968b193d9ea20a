import type { Gap } from '../../src/model/gap.ts';

/** A line of ndjson, of whatever kind. */
export interface WireLine {
  readonly Index?: number;
  readonly Events?: readonly { readonly Payload: unknown }[];
  readonly Gap?: { readonly From: number; readonly To: number; readonly Reason: Gap['reason'] };
  readonly Error?: { readonly Code: string };
}

/** The lines of a chunk that holds whole ones. */
export function linesIn(chunk: Uint8Array | undefined): readonly WireLine[] {
  const lines = new TextDecoder().decode(chunk).split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as WireLine);
}
