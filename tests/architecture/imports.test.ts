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

/** The folders of src, in the order in which they build on each other; those of core by their path. */
const rooms = [
  'model',
  'acl',
  'core/batch',
  'core/matching',
  'core/backlog',
  'core/log',
  'core/delivery',
  'core/broker',
  'adapters',
  'nomad',
  'logs',
  'client',
  'react',
  'testing',
  'explorer',
] as const;
type Room = (typeof rooms)[number];

const heart: readonly Room[] = rooms.slice(0, rooms.indexOf('core/broker') + 1);

/** Which rooms each room may import, types included; its own goes without saying. */
const allowed: Readonly<Record<Room, readonly Room[]>> = {
  model: [],
  acl: ['model'],
  'core/batch': ['model'],
  'core/matching': ['model', 'core/batch'],
  'core/backlog': ['model', 'core/batch', 'core/matching'],
  'core/log': ['model', 'core/batch', 'core/backlog'],
  'core/delivery': ['model', 'core/batch', 'core/matching', 'core/backlog'],
  'core/broker': heart,
  adapters: heart,
  nomad: heart,
  logs: ['model', 'core/log'],
  client: ['model', 'core/matching'],
  react: ['model', 'client'],
  testing: ['model', 'acl', 'core/log', 'logs'],
  explorer: ['model', 'client'],
};

function roomOf(file: string): Room | undefined {
  return rooms.find((room) => file.startsWith(`${room}/`));
}

/** What the client may load at run time beside itself: small, and without an import of its own. */
const sharedWithClient = ['model/gap.ts', 'model/on-abort.ts', 'model/options.ts', 'model/describe.ts'];

describe('the rooms of src', () => {
  it('every file but the door stands in a room', () => {
    expect(files.filter((file) => roomOf(file) === undefined)).toEqual(['index.ts']);
  });

  it.each(rooms)('%s imports only the rooms that it may, types included', (name) => {
    const strays = imports.filter(({ from, to }) => {
      const other = roomOf(to);
      return roomOf(from) === name && other !== undefined && other !== name && !allowed[name].includes(other);
    });
    expect(strays.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });

  it('client imports nothing at run time but itself, so that it runs anywhere', () => {
    const strays = imports.filter(
      ({ from, to, isTypeOnly }) => roomOf(from) === 'client' && !isTypeOnly && roomOf(to) !== 'client',
    );
    expect(strays.filter(({ to }) => !sharedWithClient.includes(to))).toEqual([]);
    const further = imports.filter(({ from, isTypeOnly }) => sharedWithClient.includes(from) && !isTypeOnly);
    expect(further.filter(({ to }) => !sharedWithClient.includes(to))).toEqual([]);
  });

  it('react imports React and what browsers load anyway, and nothing else', () => {
    const ofReact = imports.filter(({ from, isTypeOnly }) => roomOf(from) === 'react' && !isTypeOnly);
    const strays = ofReact.filter(({ to }) => !['react', 'client'].includes(roomOf(to) ?? to));
    expect(strays.map(({ to }) => to).filter((to) => !sharedWithClient.includes(to))).toEqual([]);
    const owners = imports.filter(({ to }) => to === 'react').map(({ from }) => roomOf(from));
    expect(new Set(owners)).toEqual(new Set(['react']));
  });

  it('model, acl and core depend on nothing but the two packages', () => {
    const packages = imports.filter(({ from, to }) => {
      const room = roomOf(from);
      return room !== undefined && heart.includes(room) && roomOf(to) === undefined;
    });
    const names = new Set(packages.map(({ to }) => to));
    const known = ['eventemitter3', 'tiny-invariant', 'node:util', 'node:diagnostics_channel'];
    expect([...names].filter((name) => !known.includes(name))).toEqual([]);
  });

  it('the main entry reaches nothing of Nomad, and no optional package', () => {
    const reached = new Set(['index.ts']);
    for (const file of reached) for (const { from, to } of imports) if (from === file) reached.add(to);
    const strangers = [...reached].filter((file) => file.startsWith('nomad/') || file.startsWith('@'));
    expect(strangers).toEqual([]);
    const telling = [...reached].filter(
      (file) => file.endsWith('.ts') && /hcl/i.test(readFileSync(join(src, file), 'utf8')),
    );
    expect(telling).toEqual([]);
  });

  it('no optional package is imported by its name, so that bundlers build without it', () => {
    const known = ['eventemitter3', 'tiny-invariant'];
    // The hooks are nothing without React, and what they are built into has it.
    const isHook = ({ from, to }: { from: string; to: string }) => roomOf(from) === 'react' && to === 'react';
    const strays = imports.filter(({ to, isTypeOnly }) => !isTypeOnly && roomOf(to) === undefined);
    const packages = strays.filter((one) => !one.to.startsWith('node:') && !known.includes(one.to) && !isHook(one));
    expect(packages.map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });

  it('adapters take nothing but types of the frameworks that they are mounted on', () => {
    const strays = imports.filter(
      ({ from, to, isTypeOnly }) => roomOf(from) === 'adapters' && !isTypeOnly && roomOf(to) === undefined,
    );
    expect(strays.filter(({ to }) => !to.startsWith('node:')).map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
  });

  it('has no circle of imports, types included', () => {
    const next = new Map<string, string[]>();
    for (const { from, to } of imports) next.set(from, [...(next.get(from) ?? []), to]);
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
      'BENCHMARKS.md',
      'CHANGELOG.md',
      'CONTRIBUTING.md',
      'LICENSE',
      'PROTOCOL.md',
      'README.md',
      'SECURITY.md',
      'UPGRADING.md',
      'coverage',
      'dist',
      'docs',
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
