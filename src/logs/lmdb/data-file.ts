import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

import { BrokerError } from '../../model/errors.ts';
import { Bytes } from './bytes.ts';
import { pointsPast } from './page-tree.ts';
import type { PageTrees } from './page-tree.ts';

/** LMDB's mark, and the version of the layout that is known here: another one is LMDB's to judge. */
const MARK = 0xbeefc0de;
const LAYOUT = 2;

/** Where in a meta page things stand. */
const MARK_AT = 24;
const LAYOUT_AT = 28;
const PAGE_BYTES_AT = 48;
const FREE_ROOT_AT = 88;
const MAIN_ROOT_AT = 136;
const LAST_PAGE_AT = 144;
const TRANSACTION_AT = 152;
const META_BYTES = 168;

/** Another process may write while its file is looked at: so often is it looked at again. */
const TRIES = 5;

/** What the last transaction left behind, in one of the two pages that take turns. */
interface Meta extends PageTrees {
  readonly layout: number;
  readonly lastPage: number;
  readonly transaction: number;
}

/**
 * Looks at the file before LMDB does, which ends the whole process over a file that is not its own, and over one that
 * is cut off (`SIGBUS`, whenever it comes to what is missing).
 * @returns whether there is a database; an empty file is none yet
 * @throws BrokerError `log_unavailable` for a file that is something else, or not all there
 */
export async function hasDatabase(folder: string): Promise<boolean> {
  const path = join(folder, 'data.mdb');
  const file = await openIfThere(path);
  if (file === undefined) return false;
  try {
    const { size } = await file.stat();
    if (size > 0) await checkWhole(file, path);
    return size > 0;
  } catch (cause) {
    if (BrokerError.is(cause)) throw cause;
    throw unavailable(`The file ${path} cannot be read.`, cause);
  } finally {
    await file.close();
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw unavailable(`The file ${path} cannot be read.`, cause);
  }
}

/**
 * A file may be shorter than its last page says: pages at its end that are free were perhaps never written. So where it
 * is, all pages in use are looked at, which takes a moment for a large file, but is rare.
 */
async function checkWhole(file: FileHandle, path: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    const meta = await newestMeta(file, path);
    if (meta.layout !== LAYOUT) return;
    // Asked after the meta page was read: a writer writes pages first.
    const { size } = await file.stat();
    const needed = (meta.lastPage + 1) * meta.pageBytes;
    if (size >= needed || !(await pointsPast(file, meta, Math.floor(size / meta.pageBytes)))) return;
    if (tries === TRIES || (await newestMeta(file, path)).transaction === meta.transaction) {
      const is = `The file ${path} is cut off or damaged: it has ${size} bytes of up to ${needed}.`;
      throw unavailable(`${is} Put a whole copy in its place, or delete the folder to begin a new log.`);
    }
  }
}

async function newestMeta(file: FileHandle, path: string): Promise<Meta> {
  const first = await metaAt(file, 0);
  const second = first && (await metaAt(file, first.pageBytes));
  if (first && second) return first.transaction > second.transaction ? first : second;
  throw unavailable(`The file ${path} is damaged or not an LMDB database.`);
}

/** Undefined where there is no meta page. */
async function metaAt(file: FileHandle, at: number): Promise<Meta | undefined> {
  const bytes = await Bytes.read(file, at, META_BYTES);
  if (bytes.length < META_BYTES || bytes.uint32(MARK_AT) !== MARK) return undefined;
  const pageBytes = bytes.uint32(PAGE_BYTES_AT);
  if (pageBytes < META_BYTES || pageBytes > 65_536) return undefined;
  return {
    layout: bytes.uint32(LAYOUT_AT) % 65_536,
    pageBytes,
    roots: [bytes.page(FREE_ROOT_AT), bytes.page(MAIN_ROOT_AT)],
    lastPage: bytes.page(LAST_PAGE_AT),
    transaction: bytes.page(TRANSACTION_AT),
  };
}

function unavailable(message: string, cause?: unknown): BrokerError {
  return new BrokerError('log_unavailable', message, { cause });
}
