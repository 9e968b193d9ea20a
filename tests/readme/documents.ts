// The documents of the project and the code in them. Every block of code is held in one of three ways: a program is run
// (programs.test.ts), a part of a test or an example is compared with it, and anything else is compiled
// (fragments.test.ts).
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

export const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8');

/** Paths from the root. What TypeDoc and the mutation run write has no code to check, and is left out. */
export const documents: readonly string[] = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(`${root}docs`)
    .filter((name) => name.endsWith('.md') && name !== 'mutation.md')
    .map((name) => `docs/${name}`),
];

export interface CodeBlock {
  readonly document: string;
  readonly line: number;
  readonly language: string;
  readonly code: string;
  /** The name in its first line, `// orders.mjs`, that makes the block a whole file. */
  readonly file: string | undefined;
}

/** The fenced blocks of a document, in their order. */
export function blocksOf(document: string): readonly CodeBlock[] {
  const text = read(document);
  return [...text.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].map(({ 1: language = '', 2: code = '', index }) => ({
    document,
    line: text.slice(0, index).split('\n').length + 1,
    language,
    code,
    file: /^\/\/ ([\w.-]+\.mjs)\n/.exec(code)?.[1],
  }));
}

export interface Program extends CodeBlock {
  readonly file: string;
  /** The block after it: what it prints (`text`), or what is typed in another terminal (`sh`). */
  readonly next: CodeBlock | undefined;
}

export function programsOf(document: string): readonly Program[] {
  const blocks = blocksOf(document);
  return blocks.flatMap((block, at) => {
    const { file } = block;
    return file === undefined ? [] : [{ ...block, file, next: blocks[at + 1] }];
  });
}

/** The guides: what the index of the documents lists under that heading. */
export const guides: readonly string[] = [
  ...(/## Guides\n([^]*?)\n## /.exec(read('docs/README.md'))?.[1] ?? '').matchAll(/\]\(([\w-]+\.md)\)/g),
].map(([, name = '']) => `docs/${name}`);

/** The packages that a document tells its reader to install. */
export function packagesOf(document: string): readonly string[] {
  return [...read(document).matchAll(/`npm install (fenceline[^`]*)`/g)].flatMap(([, names = '']) => names.split(' '));
}

/** A part that a generator writes: `<!-- topics:start --> … <!-- topics:end -->`. */
export function generatedPart(document: string, name: string): string {
  return new RegExp(`<!-- ${name}:start -->([^]*?)<!-- ${name}:end -->`).exec(read(document))?.[1] ?? '';
}

/** Without what the formatter adds to a table. */
export const withoutPadding = (text: string): string => text.replaceAll(/[ -]+/g, ' ').trim();
