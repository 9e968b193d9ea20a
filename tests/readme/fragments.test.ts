// The code in the documents that is no program of its own: it stands in a test or an example, which run, or it is
// compiled here. What it takes for granted (`broker`, `db`) is what tests/readme/given has for its document.
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { blocksOf, documents, read, root, type CodeBlock } from './documents.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'fenceline-fragments-'));
symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The formatter breaks lines elsewhere where code stands deeper. */
const plain = (code: string): string => code.replaceAll(/\s/g, '').replaceAll(/,(?=[)\]}]|$)/g, '');
const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'tests', 'examples'], {
  cwd: root,
  encoding: 'utf8',
});
const sources = listed
  .split('\n')
  .filter((file) => /\.(?:tsx?|mjs|svelte|vue)$/.test(file) && existsSync(`${root}${file}`))
  .map((file) => plain(read(file)));
const languages = ['ts', 'js', 'tsx', 'jsx'];
const fragments = documents
  .flatMap((document) => blocksOf(document))
  .filter(({ language, file }) => languages.includes(language) && file === undefined)
  .filter(({ code }) => !sources.some((source) => source.includes(plain(code))));

describe('the fragments of code in the documents', () => {
  it('compile, where they do not stand in a test or an example', async () => {
    expect(fragments.length).toBeGreaterThan(0);
    mkdirSync(join(folder, 'src'));
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    for (const fragment of fragments) writeFileSync(join(folder, 'src', nameOf(fragment)), moduleOf(fragment));
    const settings = {
      ...{ noUnusedLocals: false, noUnusedParameters: false, verbatimModuleSyntax: false, erasableSyntaxOnly: false },
      ...{ rewriteRelativeImportExtensions: false, allowImportingTsExtensions: true },
      ...{ allowJs: true, checkJs: false, lib: ['es2023', 'dom', 'dom.iterable'], jsx: 'react-jsx', types: ['node'] },
    };
    const config = { extends: `${root}tsconfig.json`, compilerOptions: settings, include: ['src'] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout } = await run(process.execPath, [compiler, '-p', folder], { cwd: folder }).catch(
      (error: { readonly stdout: string }) => error,
    );
    expect(stdout).toBe('');
  });
});

/** `docs__state.md__31.ts`: the errors of the compiler name document and line. */
function nameOf({ document, line, language }: CodeBlock): string {
  return `${document.replaceAll('/', '__')}__${line}.${language}`;
}

/** In a block of its own, so that it may declare anew what is given. */
function moduleOf({ document, code, language }: CodeBlock): string {
  const imports = [...code.matchAll(/^import [^]*?from '[^']+';.*$/gm)].map(([text]) => text);
  const rest = imports.reduce((left, text) => left.replace(text, ''), code);
  if (language.startsWith('js')) return `${imports.join('\n')}\n{\n${rest}}\nexport {};\n`;
  const imported = new Set(imports.flatMap((text) => /\{([^}]*)\}/.exec(text)?.[1]?.match(/\w+/g) ?? []));
  const names = givenNames(document).filter((name) => !imported.has(name));
  const given = names.length > 0 ? `import { ${names.join(', ')} } from '${givenFile(document)}';\n` : '';
  return `${given}${imports.join('\n')}\n{\n${rest}}\nexport {};\n`;
}

function givenFile(document: string): string {
  return `${root}tests/readme/given/${basename(document, '.md').toLowerCase()}.ts`;
}

function givenNames(document: string): readonly string[] {
  const file = givenFile(document);
  if (!existsSync(file)) return [];
  const text = read(file.slice(root.length));
  const declared = text.matchAll(/^export (?:declare )?(?:async )?(?:const|let|function|class|interface|type) (\w+)/gm);
  const passedOn = [...text.matchAll(/^export (?:type )?\{([^}]*)\} from/gm)].flatMap(([, names = '']) => {
    return names.split(',').map((name) => /(\w*)\s*$/.exec(name)?.[1] ?? '');
  });
  return [...[...declared].map(([, name = '']) => name), ...passedOn];
}
