import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderScenario } from '../bench/report.mjs';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
// The formatter pads tables.
const plain = (text: string): string => text.replaceAll(/[ -]+/g, ' ').trim();
const security = read('SECURITY.md');
const between = (name: string): string =>
  new RegExp(`<!-- ${name}:start -->([^]*?)<!-- ${name}:end -->`).exec(security)?.[1] ?? '';

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
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')))
    .map((cells) => cells.slice(1, -1));

describe('SECURITY.md', () => {
  it('has what a stranger can make a server spend as the benchmark’s result file tells it', () => {
    const results = JSON.parse(read('tests/bench/results/latest.json')) as Record<string, never>;
    expect(plain(between('hostile'))).toBe(
      plain(renderScenario('hostile', results['hostile'] as never).replace(/^#### .*$/m, '')),
    );
  });

  it.each([
    ['dependencies', manifest.dependencies ?? {}],
    ['peers', manifest.peerDependencies ?? {}],
  ])(
    'lists the %s of package.json, and no others, with their ranges, a reason and the licence that they have',
    (name, ranges) => {
      const listed = rows(between(name));
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

  it('leads to files that are there, and names one for each promise', () => {
    const links = [...security.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path = '']) => path);
    for (const link of links) expect(() => read(link)).not.toThrow();
    const promises = rows(/## What is promised\n([^]*?)\n## /.exec(security)?.[1] ?? '');
    expect(promises.length).toBeGreaterThan(5);
    for (const [promise, holders = ''] of promises)
      expect(`${promise}: ${holders}`).toMatch(/\]\(tests\/[\w/-]+\.test\.ts\)/);
  });
});
