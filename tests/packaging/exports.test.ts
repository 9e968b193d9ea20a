import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

type Files = Readonly<Record<string, string>>;
interface Manifest {
  readonly exports: Readonly<Record<string, Readonly<Record<string, Files>>>>;
  readonly typesVersions: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional: boolean }>>;
}
interface Settings {
  readonly compilerOptions: { readonly paths: Readonly<Record<string, readonly string[]>> };
}
interface Lock {
  readonly packages: Readonly<Record<string, { readonly optionalDependencies?: Readonly<Record<string, string>> }>>;
}

const read = <T>(file: string): T => JSON.parse(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')) as T;
const manifest = read<Manifest>('package.json');
const subpaths = Object.entries(manifest.exports).filter(([subpath]) => subpath !== './package.json');

describe('the exports of the package', () => {
  it.each(subpaths)('%s gives ES modules to all who can load them, and CommonJS to the rest', (_, conditions) => {
    const esm = conditions['import'] ?? {};
    const cjs = Object.entries(esm).map(([kind, file]) => [kind, file.replace('/esm/', '/cjs/')]);
    // The first condition that holds is taken: `module-sync` before `import` and `require` gives both the same classes.
    expect(Object.keys(conditions)).toEqual(['bun', 'module-sync', 'import', 'require']);
    expect(conditions).toEqual({ bun: esm, 'module-sync': esm, import: esm, require: Object.fromEntries(cjs) });
    expect(Object.keys(esm)).toEqual(['types', 'default']);
  });

  it('have their types in `typesVersions` too, for a TypeScript that resolves as Node 10 did', () => {
    const types = subpaths
      .filter(([subpath]) => subpath !== '.')
      .map(([subpath, conditions]) => [subpath.slice(2), [conditions['require']?.['types']]]);
    expect(manifest.typesVersions).toEqual({ '*': Object.fromEntries(types) });
  });

  it('are what tsconfig.json resolves to the sources', () => {
    const sources = subpaths.map(([subpath, conditions]) => [
      `fenceline${subpath.slice(1)}`,
      [(conditions['import']?.['default'] ?? '').replace('./dist/esm/', './src/').replace(/\.js$/, '.ts')],
    ]);
    expect(read<Settings>('tsconfig.json').compilerOptions.paths).toEqual(Object.fromEntries(sources));
  });
});

describe('the dependencies', () => {
  it('are two at run time, and every peer is optional', () => {
    expect(Object.keys(manifest.dependencies)).toEqual(['eventemitter3', 'tiny-invariant']);
    const optional = Object.entries(manifest.peerDependenciesMeta).filter(([, meta]) => meta.optional);
    expect(optional.map(([name]) => name)).toEqual(Object.keys(manifest.peerDependencies));
  });

  it('are ranges where the user installs them, so that one copy can serve several packages, and exact for us', () => {
    expect(Object.values(manifest.dependencies).filter((range) => !/^\^\d+\.\d+\.\d+$/.test(range))).toEqual([]);
    const exact = /^(?:npm:[\w/@-]+@)?\d+\.\d+\.\d+$/;
    expect(Object.values(manifest.devDependencies).filter((version) => !exact.test(version))).toEqual([]);
  });

  it('are locked for every platform, without which `npm ci` fails on a fresh clone', () => {
    const { packages } = read<Lock>('package-lock.json');
    const locked = new Set(Object.keys(packages).map((path) => path.replace(/^.*node_modules\//, '')));
    const wanted = Object.values(packages).flatMap(({ optionalDependencies }) =>
      Object.keys(optionalDependencies ?? {}),
    );
    expect(wanted.filter((name) => !locked.has(name))).toEqual([]);
  });
});
