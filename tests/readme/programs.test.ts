// Every program in the documents, run: a block whose first line is a file's name.
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { blocksOf, documents, guides, packagesOf, programsOf, root } from './documents.ts';
import { runProgram } from './run-program.ts';

const folder = mkdtempSync(join(tmpdir(), 'fenceline-documents-'));
symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
afterAll(() => rmSync(folder, { recursive: true }));
const onSources = ['--import', join(root, 'tests/tooling/typescript.mjs')];

const programs = documents.flatMap((document) => programsOf(document));

describe('the programs in the documents', () => {
  it.each(programs.map((program) => [`${program.document}: ${program.file}`, program] as const))(
    '%s does what is shown after it',
    async (_, program) => {
      const { shown, seen } = await runProgram(program, join(folder, basename(program.document, '.md')), onSources);
      expect(seen).toBe(shown);
    },
  );

  it.each(programs.map((program) => [`${program.document}: ${program.file}`, program] as const))(
    '%s imports what its reader was told to install',
    (_, { document, code }) => {
      const imported = [...code.matchAll(/from '([^']+)'/g)].map(([, name = '']) => name);
      const packages = imported.filter((name) => !/^(?:node:|\.)/.test(name)).map(packageOf);
      expect(packagesOf(document)).toEqual(expect.arrayContaining(packages));
    },
  );
});

describe('a guide', () => {
  it('is one of many', () => expect(guides.length).toBeGreaterThan(10));

  it.each(guides)('%s begins with a program that can be typed as it stands', (guide) => {
    expect(blocksOf(guide)[0]?.file).toMatch(/\.mjs$/);
  });
});

const packageOf = (specifier: string): string => /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
