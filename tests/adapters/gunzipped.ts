import { randomBytes } from 'node:crypto';
import { createGunzip } from 'node:zlib';
import { expect } from 'vitest';

import { LineReader } from './line-reader.ts';
import { LARGE_BYTES } from './mounted-broker.ts';
import type { StreamClient } from './stream-client.ts';

/**
 * A compressed stream, decoded as it comes. Checksum and length are checked when it ends.
 * @param others headers that the answer must have too
 */
export async function gunzipped(client: StreamClient, others: object = {}): Promise<LineReader> {
  const { headers, body } = await client.ask({ headers: { 'accept-encoding': 'gzip' } });
  expect(headers).toMatchObject({ 'content-encoding': 'gzip', ...others });
  const decoded = new LineReader(body.stream.pipe(createGunzip()));
  body.stream.on('error', (error) => decoded.stream.destroy(error));
  return decoded;
}

/** Compression gains little on it: a socket fills. */
export const randomText = (): string => randomBytes((LARGE_BYTES / 4) * 3).toString('base64');
