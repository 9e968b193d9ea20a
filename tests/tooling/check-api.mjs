// The published types against what is written down, so that a change of them is seen and reviewed: the report of all
// declarations, and the internal types that they still lead to, a list that only shrinks. `npm run api` writes both.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { declarationText, internalTypes, surface } from './api-surface.mjs';
import { root } from './entries.mjs';

const reportFile = join(root, 'tests/api/fenceline.api.md');
const allowedFile = join(root, 'tests/api/internal-types.json');
const isWriting = process.argv.includes('--write');
const problems = [];

compareReport();
checkInternalTypes();
checkReference();
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

function compareReport() {
  const report = render();
  const written = existsSync(reportFile) ? readFileSync(reportFile, 'utf8') : '';
  if (report === written) return;
  if (isWriting) writeFileSync(reportFile, report);
  else
    problems.push(
      `The published types changed: run \`npm run api\` and commit the report.\n${difference(written, report)}`,
    );
}

function render() {
  const firstEntry = new Map();
  const sections = surface.map(({ specifier, names }) => {
    const blocks = names.map(({ name, symbol }) => renderName(name, symbol, specifier, firstEntry));
    return `## ${specifier}\n\n${blocks.join('\n\n')}\n`;
  });
  const head = '# The published types\n\nWritten by `npm run api`; a step of `npm test` holds it.';
  return `${head}\n\n${sections.join('\n')}`;
}

/** What several entries export is written out once. */
function renderName(name, symbol, specifier, firstEntry) {
  const first = firstEntry.get(symbol);
  if (first !== undefined) return `### ${name}\n\nAs in \`${first}\`.`;
  firstEntry.set(symbol, specifier);
  return `### ${name}\n\n\`\`\`ts\n${declarationText(symbol).join('\n')}\n\`\`\``;
}

/** The lines that only one of the two has: enough to see what it is about. */
function difference(before, after) {
  const [old, now] = [before.split('\n'), after.split('\n')];
  const gone = old.filter((line) => !now.includes(line)).map((line) => `- ${line}`);
  const come = now.filter((line) => !old.includes(line)).map((line) => `+ ${line}`);
  return [...gone, ...come].slice(0, 60).join('\n');
}

/**
 * That no export is missing in the API reference; whether every word of it is right, `npm run docs -- --check` says.
 */
function checkReference() {
  for (const { specifier, names } of surface) {
    const file = join(root, 'docs/api', `${specifier.replaceAll('/', '-')}.md`);
    const page = existsSync(file) ? readFileSync(file, 'utf8') : '';
    const missing = names.map(({ name }) => name).filter((name) => !new RegExp(`^### .*\\b${name}\\b`, 'm').test(page));
    if (missing.length > 0)
      problems.push(`docs/api lacks ${missing.join(', ')} of ${specifier}: run \`npm run docs\`.`);
  }
}

function checkInternalTypes() {
  const allowed = existsSync(allowedFile) ? JSON.parse(readFileSync(allowedFile, 'utf8')) : [];
  const found = internalTypes();
  for (const { name, file, path } of found.filter((one) => !allowed.includes(one.name)))
    problems.push(`${name} (${file}) can be reached from outside and has no public name: ${path}`);
  const healed = allowed.filter((name) => !found.some((one) => one.name === name));
  if (healed.length === 0) return;
  if (isWriting) writeFileSync(allowedFile, renderList(allowed.filter((name) => !healed.includes(name))));
  else
    problems.push(
      `No longer reachable, to be struck from internal-types.json by \`npm run api\`: ${healed.join(', ')}`,
    );
}

function renderList(names) {
  return `${JSON.stringify(names, null, 2)}\n`;
}
