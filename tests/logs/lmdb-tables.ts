import { open } from 'lmdb';

export interface TablesFound {
  readonly format: number;
  readonly first: number;
  readonly head: number;
  /** Indexes of the records before `first`. */
  readonly before: number[];
  /** What is wrong: the tables do not agree. */
  readonly wrong: string[];
}

/** Looks at the tables of a log that no process has open, and at whether they agree with each other. */
export async function tablesIn(path: string): Promise<TablesFound> {
  const root = open({ path, noSubdir: false, encoding: 'binary', readOnly: true });
  try {
    const meta = root.openDB<never, string>({ name: 'meta', encoding: 'json', useVersions: true });
    const records = root.openDB<Buffer, number>({ name: 'records', encoding: 'binary' });
    const pins = root.openDB<number, Buffer>({ name: 'pins', encoding: 'json', keyEncoding: 'binary' });
    const pinned = root.openDB<Buffer, Buffer>({ name: 'pinned', encoding: 'binary', keyEncoding: 'binary' });
    const { format } = meta.get('log') as unknown as { format: number };
    const { first, head, bytes } = meta.get('position') as unknown as { first: number; head: number; bytes: number };
    const sizes = new Map([...records.getRange({})].map(({ key, value }) => [key, value.byteLength]));
    const indexes = [...sizes.keys()];
    const before = indexes.filter((index) => index < first);
    const counts = new Map<number, number>();
    for (const { key: place } of pinned.getRange({})) {
      const index = place.readDoubleBE(0);
      counts.set(index, (counts.get(index) ?? 0) + 1);
    }
    const tally = new Map<number, number>();
    for (const { value } of pins.getRange({})) tally.set(value, (tally.get(value) ?? 0) + 1);
    const kept = [...counts.keys()].filter((index) => index < first);
    const held = [...sizes].reduce((sum, [index, size]) => (index < first ? sum : sum + size), 0);
    const rows = [...tally].sort(([a], [b]) => a - b);
    const rules: [string, unknown, unknown][] = [
      ['records from first to head', indexes.length - before.length, head - first + 1],
      ['the last record', indexes.at(-1) ?? head, before.length === indexes.length ? (indexes.at(-1) ?? head) : head],
      ['records before first', before, kept],
      ['keys of each pinned record', [...counts], rows],
      ['pinned records that are missing', rows.filter(([index]) => !sizes.has(index)), []],
      ['bytes from first to head', held, bytes],
    ];
    const wrong = rules.flatMap(([what, is, must]) => {
      const [found, wanted] = [JSON.stringify(is), JSON.stringify(must)];
      return found === wanted ? [] : [`${what}: ${found} instead of ${wanted}`];
    });
    return { format, first, head, before, wrong };
  } finally {
    await root.close();
  }
}

/** Makes a folder as a version without pins left it: `head` records of 10 bytes each. */
export async function makeOldFolder(path: string, head: number): Promise<void> {
  const root = open<Buffer, number>({ path, noSubdir: false, maxDbs: 8, encoding: 'binary' });
  const records = root.openDB<Buffer, number>('records', { encoding: 'binary' });
  const meta = root.openDB<object | number, string>('meta', { encoding: 'json', useVersions: true });
  root.openDB('ids', { encoding: 'binary', keyEncoding: 'binary' });
  root.openDB('idAges', { encoding: 'binary' });
  const value = Buffer.alloc(9 + 10);
  value.writeDoubleBE(1_700_000_000_000, 1);
  root.transactionSync(() => {
    for (let index = 1; index <= head; index++) records.putSync(index, value);
    meta.putSync('log', { format: 1, epoch: 'old' }, 1);
    meta.putSync('position', { first: 1, head, bytes: head * value.byteLength }, 1);
    meta.putSync('writer', 1, 1);
  });
  await root.close();
}
