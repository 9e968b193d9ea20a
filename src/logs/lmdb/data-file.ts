import { open } from 'node:fs/promises';
import { join } from 'node:path';

import { BrokerError } from '../../model/errors.ts';

/** Where LMDB's mark stands in its file, and the mark, in the machine's byte order. */
const MARK_AT = 24;
const MARK = 0xbeefc0de;

/**
 * Where the first two pages say what the file holds (`MDB_meta` in LMDB's mdb.c): a page's size, the last page in use,
 * and the transaction that wrote this. The newer of the two counts.
 */
const PAGE_SIZE_AT = 48;
const LAST_PAGE_AT = 144;
const TRANSACTION_AT = 152;
const META_BYTES = 160;
const LARGEST_PAGE_BYTES = 65_536;

/**
 * Looks at the file before LMDB does, which ends the whole process over a file that is not its own, and over one that
 * is cut off: it reads what is mapped and not there.
 * @returns whether there is a database; an empty file is none yet
 * @throws BrokerError `log_unavailable` for a file that is something else, or a part of one
 */
export async function hasDatabase(folder: string): Promise<boolean> {
  const path = join(folder, 'data.mdb');
  const { head, sizeBytes } = await readHead(path);
  if (sizeBytes === 0) return false;
  if (sizeBytes < MARK_AT + 4 || head.readUInt32LE(MARK_AT) !== MARK)
    throw new BrokerError('log_unavailable', `The file data.mdb in ${folder} is damaged or not an LMDB database.`);
  const neededBytes = bytesInUse(head);
  if (sizeBytes >= neededBytes) return true;
  throw new BrokerError(
    'log_unavailable',
    `The file ${path} is cut off: it has ${sizeBytes} bytes of ${neededBytes}. Put a whole copy in its place.`,
  );
}

function bytesInUse(head: Buffer): number {
  if (head.length < MARK_AT + META_BYTES) return MARK_AT + META_BYTES;
  const pageBytes = head.readUInt32LE(PAGE_SIZE_AT);
  const second = pageBytes;
  if (head.length < second + META_BYTES) return 2 * pageBytes;
  const isSecondNewer = head.readBigUInt64LE(second + TRANSACTION_AT) > head.readBigUInt64LE(TRANSACTION_AT);
  const lastPage = head.readBigUInt64LE(LAST_PAGE_AT + (isSecondNewer ? second : 0));
  return (Number(lastPage) + 1) * pageBytes;
}

async function readHead(path: string): Promise<{ readonly head: Buffer; readonly sizeBytes: number }> {
  try {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      const wanted = Buffer.alloc(Math.min(size, LARGEST_PAGE_BYTES + META_BYTES));
      const { bytesRead } = await file.read(wanted, 0, wanted.length, 0);
      return { head: wanted.subarray(0, bytesRead), sizeBytes: size };
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')
      return { head: Buffer.alloc(0), sizeBytes: 0 };
    throw new BrokerError('log_unavailable', `The file ${path} cannot be read.`, { cause });
  }
}
