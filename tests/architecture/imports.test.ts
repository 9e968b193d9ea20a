import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const src = join(root, 'src');

interface Import {
  readonly from: string;
  /** Path within src, or the name of a package. */
  readonly to: string;
  readonly isTypeOnly: boolean;
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));

function importsOf(file: string): Import[] {
  const text = readFileSync(join(src, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const found = [...text.matchAll(/^(?:import|export)\b([^;'"]*?)\bfrom\s+['"]([^'"]+)['"]/gm)].map(
    ([, names = '', to = '']) => {
      return { to, isTypeOnly: /^\s*type\b/.test(names) };
    },
  );
  const dynamic = [...text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g)].map(([, to = '']) => ({
    to,
    isTypeOnly: false,
  }));
  return [...found, ...dynamic].map(({ to, isTypeOnly }) => ({
    from: file,
    to: to.startsWith('.') ? relative(src, resolve(src, dirname(file), to)) : to,
    isTypeOnly,
  }));
}

const imports = files.flatMap(importsOf);
const room = (file: string): string => file.split('/')[0] ?? '';
const rooms = ['core', 'acl', 'adapters', 'nomad', 'logs', 'client', 'testing', 'explorer'];

/** Which rooms each room may import; its own goes without saying. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  core: ['acl'],
  acl: ['core'],
  adapters: ['core'],
  nomad: ['core'],
  logs: ['core'],
  client: ['core'],
  testing: ['core', 'acl', 'logs'],
  explorer: ['client', 'core'],
};

describe('the rooms of src', () => {
  it.each(rooms)('%s imports only the rooms that it may', (name) => {
    const strays = imports.filter(({ from, to }) => room(from) === name && rooms.includes(room(to)));
    expect(strays.filter(({ to }) => room(to) !== name && !allowed[name]?.includes(room(to)))).toEqual([]);
  });

  it('client imports nothing at run time but itself, so that it runs anywhere', () => {
    const strays = imports.filter(
      ({ from, to, isTypeOnly }) => room(from) === 'client' && !isTypeOnly && room(to) !== 'client',
    );
    expect(strays).toEqual([]);
  });

  it('core and acl depend on nothing but the two packages', () => {
    const packages = imports.filter(
      ({ from, to }) => ['core', 'acl'].includes(room(from)) && !rooms.includes(room(to)),
    );
    const names = new Set(packages.map(({ to }) => to));
    expect(
      [...names].filter((name) => !['eventemitter3', 'tiny-invariant', '@cdktn/hcl2json', 'node:util'].includes(name)),
    ).toEqual([]);
  });

  it('has no cycle of imports at run time', () => {
    const next = new Map<string, string[]>();
    for (const { from, to, isTypeOnly } of imports) if (!isTypeOnly) next.set(from, [...(next.get(from) ?? []), to]);
    const done = new Set<string>();
    const walk = (file: string, path: readonly string[]): readonly string[] | undefined => {
      if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
      if (done.has(file)) return undefined;
      for (const to of next.get(file) ?? []) {
        const cycle = walk(to, [...path, file]);
        if (cycle) return cycle;
      }
      done.add(file);
      return undefined;
    };
    expect(files.map((file) => walk(file, [])).find(Boolean)).toBeUndefined();
  });

  it('has a public door that lists names and holds no logic', () => {
    const door = readFileSync(join(src, 'index.ts'), 'utf8');
    expect(door.replaceAll(/export (type )?\{[^}]*\} from '[^']+';/g, '').trim()).toBe('');
  });
});

describe('the top level', () => {
  it('holds the sources, the documents, and the settings of tools', () => {
    const known = [
      'ARCHITECTURE.md',
      'CHANGELOG.md',
      'CONTRIBUTING.md',
      'LICENSE',
      'PROTOCOL.md',
      'README.md',
      'coverage',
      'dist',
      'examples',
      'node_modules',
      'package-lock.json',
      'package.json',
      'src',
      'tests',
      'tsconfig.build.json',
      'tsconfig.json',
      'vitest.config.mjs',
    ];
    const entries = readdirSync(root).filter((name) => !name.startsWith('.') && !name.endsWith('.tgz'));
    expect(entries.filter((name) => !known.includes(name))).toEqual([]);
  });
});
