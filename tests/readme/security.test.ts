import { describe, expect, it } from 'vitest';
import { generatedPart, read } from './documents.ts';

const security = read('SECURITY.md');

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
  readonly license?: string;
}
const manifest = JSON.parse(read('package.json')) as Manifest;
const installed = (name: string): Manifest => JSON.parse(read(`node_modules/${name}/package.json`)) as Manifest;

/** The rows of a table, without its head. */
const rows = (table: string): readonly (readonly string[])[] =>
  table
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll(/[`\\]/g, '')))
    .map((cells) => cells.slice(1, -1));

describe('SECURITY.md', () => {
  it.each([
    ['dependencies', manifest.dependencies ?? {}],
    ['peers', manifest.peerDependencies ?? {}],
  ])(
    'lists the %s of package.json, and no others, with their ranges, a reason and the licence that they have',
    (name, ranges) => {
      const listed = rows(generatedPart('SECURITY.md', name));
      const expected = Object.entries(ranges).map(([one, range]) => [one, range, installed(one).license]);
      expect(listed.map((cells) => cells.slice(0, 3))).toEqual(expected);
      for (const [one, , , reason] of listed) expect(`${one}: ${reason}`).toMatch(/: .{10}/);
    },
  );

  it('is right that dependencies have none of their own, and that peers are optional', () => {
    for (const name of Object.keys(manifest.dependencies ?? {}))
      expect(Object.keys(installed(name).dependencies ?? {})).toEqual([]);
    for (const name of Object.keys(manifest.peerDependencies ?? {}))
      expect(manifest.peerDependenciesMeta?.[name]?.optional).toBe(true);
  });

  it('names a test for each promise', () => {
    const promises = rows(/## What is promised\n([^]*?)\n## /.exec(security)?.[1] ?? '');
    expect(promises.length).toBeGreaterThan(5);
    for (const [promise, holders = ''] of promises)
      expect(`${promise}: ${holders}`).toMatch(/\]\(tests\/[\w/-]+\.test\.ts\)/);
  });
});
