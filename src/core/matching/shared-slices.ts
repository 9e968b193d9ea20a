import type { StreamFormat } from '../batch/stream-format.ts';

/** A stretch of what one interest matched, encoded for readers that are behind. */
export interface Slice {
  readonly format: StreamFormat;
  /** The position that it begins at. */
  readonly start: number;
  /** The position after it. */
  readonly end: number;
  readonly bytes: Uint8Array;
  /** Of a state: removals up to here are not in it. Else 0. */
  readonly floor: number;
  /** The newest position when it was made: of a state, what was the newest of its key then. */
  readonly head: number;
  /** There was more when it was cut. */
  readonly isFull: boolean;
}

/** What a transport holds while it waits to send are the bytes: they are what is held weakly. */
type KeptSlice = Omit<Slice, 'bytes'> & { readonly bytes: WeakRef<Uint8Array> };

/** Past so many places the oldest is forgotten: it is encoded again by the next who needs it. */
const MAX_SLICES = 64;

/** So many formats of one place are kept: lines and events, compressed or not. */
const MAX_FORMATS = 4;

/**
 * The slices that readers of one interest were handed lately, so that those who are behind at the same place share one:
 * a thousand who come back after a deploy, or a hundred who stall on one large batch. Held weakly: a slice lives as
 * long as some transport waits to send it, and no longer, so this bounds memory instead of taking any.
 */
export class SharedSlices {
  /** By the position that they begin at: one for each format. */
  readonly #slices = new Map<number, readonly KeptSlice[]>();

  find(format: StreamFormat, start: number): Slice | undefined {
    const slice = this.#slices.get(start)?.find((kept) => kept.format === format);
    const bytes = slice?.bytes.deref();
    return slice && bytes && { ...slice, bytes };
  }

  keep(slice: Slice): void {
    const others = (this.#slices.get(slice.start) ?? []).filter(({ format }) => format !== slice.format);
    this.#slices.delete(slice.start);
    const kept = { ...slice, bytes: new WeakRef(slice.bytes) };
    this.#slices.set(slice.start, [...others.slice(1 - MAX_FORMATS), kept]);
    const [oldest] = this.#slices.keys();
    if (this.#slices.size > MAX_SLICES && oldest !== undefined) this.#slices.delete(oldest);
  }
}
