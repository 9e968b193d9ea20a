// `npm run docs` writes the API reference, docs/api, from the comments of the exports. With --check it compares, and
// writes nothing. TypeDoc does not run on TypeScript 7: package.json beside this file has both of another version,
// which are installed into a folder of their own when they are needed first.
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { entries, root } from '../entries.mjs';

const written = join(root, 'docs/api');
const isCheck = process.argv.includes('--check');
const out = isCheck ? mkdtempSync(join(tmpdir(), 'fenceline-reference-')) : written;

try {
  rmSync(out, { recursive: true, force: true });
  await write(out, await loadTypedoc());
  if (isCheck) compare();
} finally {
  if (isCheck) rmSync(out, { recursive: true, force: true });
}

async function loadTypedoc() {
  const here = dirname(fileURLToPath(import.meta.url));
  const home = join(root, 'node_modules/.reference');
  if (!existsSync(join(home, 'node_modules/typedoc'))) {
    mkdirSync(home, { recursive: true });
    for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(here, file), join(home, file));
    execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: home, stdio: 'inherit' });
  }
  const { resolve } = createRequire(join(home, 'package.json'));
  const plugin = pathToFileURL(resolve('typedoc-plugin-markdown')).href;
  return { plugin, ...(await import(pathToFileURL(resolve('typedoc')).href)) };
}

async function write(folder, { Application, Converter, ReflectionKind, plugin }) {
  const app = await Application.bootstrapWithPlugins({
    plugin: [plugin],
    entryPoints: entries.map(({ source }) => join(root, source)),
    tsconfig: join(root, 'tsconfig.build.json'),
    router: 'module',
    out: folder,
    ...{ excludeExternals: true, excludePrivate: true, excludeInternal: true, disableSources: true, readme: 'none' },
    ...{ hideBreadcrumbs: true, hidePageHeader: true, githubPages: false, logLevel: 'Error', name: 'API reference' },
    ...{ useCodeBlocks: true, parametersFormat: 'table', mergeReadme: false },
  });
  // A page is named after what one imports, not after its file.
  const names = new Map(entries.map(({ source, specifier }) => [source.replace(/^src\/|\.ts$/g, ''), specifier]));
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.getReflectionsByKind(ReflectionKind.Module))
      module.name = fileName(names.get(module.name) ?? names.get(`${module.name}/index`) ?? module.name);
  });
  const project = await app.convert();
  if (project === undefined) throw new Error('TypeDoc could not read the sources.');
  await app.generateOutputs(project);
  for (const name of readdirSync(folder)) nameAsImported(join(folder, name));
  if (app.logger.hasErrors()) throw new Error('TypeDoc had errors.');
}

/** In headings and in the list of pages `fenceline/http`, where the file has to be `fenceline-http.md`. */
function nameAsImported(file) {
  const text = readFileSync(file, 'utf8');
  const named = text.replace(/^# fenceline-/, '# fenceline/').replaceAll(/^- \[fenceline-/gm, '- [fenceline/');
  writeFileSync(file, named);
}

function fileName(specifier) {
  return specifier.replaceAll('/', '-');
}

function compare() {
  const files = (folder) => (existsSync(folder) ? readdirSync(folder, { recursive: true }).toSorted() : []);
  const names = [...new Set([...files(out), ...files(written)])];
  const text = (folder, name) => (existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8') : '');
  const other = names.filter((name) => name.endsWith('.md') && text(out, name) !== text(written, name));
  if (other.length === 0) return;
  console.error(`docs/api is not what the comments say: ${other.join(', ')}. Run \`npm run docs\` and commit it.`);
  process.exitCode = 1;
}
