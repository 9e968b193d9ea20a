import type { FileHandle } from 'node:fs/promises';
import { endianness } from 'node:os';

const IS_LITTLE = endianness() === 'LE';

/** A part of a file whose numbers are in the machine's byte order, as LMDB writes them. */
export class Bytes {
  readonly #view: DataView;

  private constructor(view: DataView) {
    this.#view = view;
  }

  /** Fewer than `length` where the file ends before. */
  static async read(file: FileHandle, at: number, length: number): Promise<Bytes> {
    const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, at);
    return new Bytes(new DataView(buffer.buffer, 0, bytesRead));
  }

  get length(): number {
    return this.#view.byteLength;
  }

  /** @throws RangeError beyond the end, as all that read a number */
  uint16(at: number): number {
    return this.#view.getUint16(at, IS_LITTLE);
  }

  uint32(at: number): number {
    return this.#view.getUint32(at, IS_LITTLE);
  }

  /** A number of a page, or a count; the number that stands for no page comes out larger than any file. */
  page(at: number): number {
    return Number(this.#view.getBigUint64(at, IS_LITTLE));
  }
}
