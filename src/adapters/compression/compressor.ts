import type { ByteSink } from '../../core/delivery/byte-sink.ts';
import type { StreamFormat } from '../../core/batch/stream-format.ts';
import { accepts } from '../header.ts';
import { GzipSink } from './gzip-sink.ts';
import { SharedGzips, type Framing, type Zlib } from './shared-gzip.ts';

/** Puts compression before a transport. */
export interface Compressor {
  /**
   * @param frame how the transport wants its bytes: as they are (the default), or as chunks of HTTP/1.1. One function
   * for all streams that are framed alike, so that they share what is compressed
   * @returns where the stream is to be written to instead
   */
  before(sink: ByteSink, format: StreamFormat, frame?: Framing): ByteSink;
}

interface Runtime {
  readonly process?: { readonly getBuiltinModule?: (name: string) => unknown };
}

let compressor: Compressor | undefined;

/**
 * Loaded where it is asked for: `fenceline/fetch` runs where there is no zlib, too. One for the process, so that all
 * its mounts share what is compressed.
 * @throws TypeError where the runtime has none
 */
export function gzipCompressor(): Compressor {
  return (compressor ??= compressorWith(nodeZlib()));
}

function nodeZlib(): Zlib {
  const zlib = (globalThis as Runtime).process?.getBuiltinModule?.('node:zlib') as Partial<Zlib> | undefined;
  const { constants, crc32, deflateRawSync } = zlib ?? {};
  if (constants && crc32 && deflateRawSync) return { constants, crc32, deflateRawSync };
  throw new TypeError('compression needs node:zlib with crc32: Node 20.19, Bun or Deno.');
}

function compressorWith(zlib: Zlib): Compressor {
  const gzips = new SharedGzips(zlib);
  return { before: (sink, format, frame = asItIs) => new GzipSink(sink, gzips.of(format, frame)) };
}

const asItIs: Framing = (bytes) => bytes;

/** Whether an `Accept-Encoding` allows gzip (RFC 9110, section 12.5.3): by name, or by `*` where it is not named. */
export const acceptsGzip = (header: string | undefined): boolean => accepts(header, 'gzip', 'x-gzip', '*');
