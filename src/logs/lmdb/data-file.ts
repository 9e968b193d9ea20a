import { open } from 'node:fs/promises';
import { join } from 'node:path';

import { BrokerError } from '../../model/errors.ts';

/** Where LMDB's mark stands in its file, and the mark, in the machine's byte order. */
const MARK_AT = 24;
const MARK = 0xbeefc0de;

/**
 * Looks at the file before LMDB does, which ends the whole process over a file that is not its own.
 * @returns whether there is a database; an empty file is none yet
 * @throws BrokerError `log_unavailable` for a file that is something else
 */
export async function hasDatabase(folder: string): Promise<boolean> {
  const header = await readHeader(join(folder, 'data.mdb'));
  if (header.byteLength === 0) return false;
  if (header.byteLength === MARK_AT + 4 && new Uint32Array(header.buffer, MARK_AT, 1)[0] === MARK) return true;
  throw new BrokerError('log_unavailable', `The file data.mdb in ${folder} is damaged or not an LMDB database.`);
}

async function readHeader(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const file = await open(path);
    try {
      const { bytesRead, buffer } = await file.read(new Uint8Array(MARK_AT + 4), 0, MARK_AT + 4, 0);
      return buffer.slice(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return new Uint8Array(0);
    throw new BrokerError('log_unavailable', `The file ${path} cannot be read.`, { cause });
  }
}
