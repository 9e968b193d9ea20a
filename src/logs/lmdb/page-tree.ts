import type { FileHandle } from 'node:fs/promises';

import { Bytes } from './bytes.ts';

/** How LMDB lays out its pages: a header, the places of the nodes, and from the other end on the nodes. */
const PAGE_HEADER_BYTES = 24;
const PAGE_FLAGS_AT = 18;
const LOWER_AT = 20;
const IS_BRANCH = 1;
const IS_LEAF = 2;

/** A node: four bytes, which are part of a page's number in a branch, flags, the key's length, the key, the value. */
const NODE_FLAGS_AT = 4;
const KEY_BYTES_AT = 6;
const NODE_HEADER_BYTES = 8;
/** The value is a run of pages of its own: its first page, a transaction, how many. */
const IS_LARGE = 1;
const RUN_LENGTH_AT = 16;
/** The value is a table, whose root stands here. */
const IS_TABLE = 2;
const TABLE_ROOT_AT = 40;

/** The root of a table that is empty, as a number. */
const NO_PAGE = 2 ** 64;

/** The trees of a file, by the pages that their roots are. */
export interface PageTrees {
  readonly pageBytes: number;
  readonly roots: readonly number[];
}

/** What a page points to. */
interface References {
  readonly pages: number[];
  /** The page after the last one of large values. */
  end: number;
}

/**
 * Whether any page in use lies past the first `pages` of the file, or cannot be read for one. Reads all of the trees,
 * not the large values.
 */
export async function pointsPast(file: FileHandle, { pageBytes, roots }: PageTrees, pages: number): Promise<boolean> {
  const open = roots.filter((root) => root !== NO_PAGE);
  let seen = 0;
  for (let page = open.pop(); page !== undefined; page = open.pop()) {
    // A page that is met twice shows that these are no trees.
    if (page >= pages || (seen += 1) > pages) return true;
    const found = referencesIn(await Bytes.read(file, page * pageBytes, pageBytes));
    if (found === undefined || found.end > pages) return true;
    open.push(...found.pages);
  }
  return false;
}

/** Undefined for what is no page of a tree. */
function referencesIn(page: Bytes): References | undefined {
  const references: References = { pages: [], end: 0 };
  try {
    const flags = page.uint16(PAGE_FLAGS_AT);
    if ((flags & (IS_BRANCH | IS_LEAF)) === 0) return undefined;
    const nodes = page.uint16(LOWER_AT) >> 1;
    for (let i = 0; i < nodes; i++) {
      const node = PAGE_HEADER_BYTES + page.uint16(PAGE_HEADER_BYTES + 2 * i);
      if (flags & IS_BRANCH) references.pages.push(childOf(page, node));
      else addLeaf(references, page, node);
    }
    return references;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const childOf = (page: Bytes, node: number): number => page.uint32(node) + page.uint16(node + NODE_FLAGS_AT) * 2 ** 32;

function addLeaf(references: References, page: Bytes, node: number): void {
  const flags = page.uint16(node + NODE_FLAGS_AT);
  const value = node + NODE_HEADER_BYTES + page.uint16(node + KEY_BYTES_AT);
  if (flags & IS_LARGE) {
    references.end = Math.max(references.end, page.page(value) + page.page(value + RUN_LENGTH_AT));
  } else if (flags & IS_TABLE) {
    const root = page.page(value + TABLE_ROOT_AT);
    if (root !== NO_PAGE) references.pages.push(root);
  }
}
