// docs/mutation.md, from the results that are kept: the score of each part and file, and the mutants that lived.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { root } from '../tooling/entries.mjs';
import { parts } from './parts.mjs';
import { reasonFor } from './reasons.mjs';
import { scoreOf, sumOf } from './summary.mjs';

const head = `# Mutation testing

\`npm run mutation\` changes \`src/core\` and \`src/acl\` in one place at a time (an operator, a condition, a block,
a text) and runs the tests that execute that place, until one fails: then the mutant is killed. That command writes
this page.

- **lived**: tests execute it, and none of them failed. **unreached**: of the tests that mutants are run with, none
  executes it. Both count against the score.
- What runs once, when a module is loaded, is tried with the tests beside it, a process for each mutant.
- **ignored**: the wording of errors, and \`true\` in lists of known options, of which only the names are
  read. Which error it is, and its code, are mutated.
- The tests are those without engines: of the folder, of \`tests/conformance\`, and the properties with five
  histories each (but where the table says "quick": without properties). What only a log's engine, another process or a
  browser would notice counts as lived.
- A mutant that makes a test wait until it times out (after 4 s; tests take up to 1.5 s), or that hangs the process, is
  killed too: **by time-out** says how many of the killed. The test must have passed without the mutant just before.
`;

export function writeTable() {
  const results = parts.map(({ name }) => read(name)).filter((one) => one !== undefined);
  const rows = results.map(({ name, counts, seconds, isQuick }) =>
    row(`**\`src/${name}\`**`, counts, `${Math.round(seconds / 60)} min${isQuick ? ', quick' : ''}`),
  );
  const text = [
    head,
    ...table(
      ['part', 'mutants', 'killed', 'by time-out', 'lived', 'unreached', 'ignored', 'score', 'took'],
      [...rows, row('**all**', sumOf(results.map(({ counts }) => counts)), '')],
    ),
    ...notRun(results),
    ...results.flatMap(sectionOf),
  ].join('\n');
  writeFileSync(join(root, 'docs/mutation.md'), `${text.trimEnd()}\n`);
}

function read(name) {
  const path = join(root, 'tests/mutation/results', `${name.replaceAll('/', '-')}.json`);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

function row(name, counts, took) {
  const { killed, timedOut = 0, lived, unreached, ignored } = counts;
  return [
    name,
    killed + lived + unreached,
    killed,
    timedOut,
    lived,
    unreached,
    ignored,
    `${scoreOf(counts).toFixed(1)} %`,
    took,
  ];
}

function table(names, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(names), line(names.map(() => '---')), ...rows.map(line), ''];
}

function notRun(results) {
  const missing = parts.filter(({ name }) => results.every((one) => one.name !== name));
  return missing.length === 0 ? [] : [`Not run yet: ${missing.map(({ name }) => `\`src/${name}\``).join(', ')}.`, ''];
}

function sectionOf({ name, files, survivors }) {
  const rows = Object.entries(files).map(([file, counts]) => row(`\`${file.slice(4)}\``, counts, '').slice(0, -1));
  return [
    `## src/${name}`,
    '',
    ...table(['file', 'mutants', 'killed', 'by time-out', 'lived', 'unreached', 'ignored', 'score'], rows),
    `<details><summary>${survivors.length} mutants that were not killed</summary>`,
    '',
    ...table(['where', 'what stands there', 'and was changed to', 'why it lives'], survivors.map(survivorRow)),
    '</details>',
    '',
  ];
}

function survivorRow(survivor) {
  const { file, line, from, to, outcome } = survivor;
  const reason = reasonFor(survivor) ?? (outcome === 'unreached' ? 'unreached' : 'to be killed');
  return [`${file.slice(file.lastIndexOf('/') + 1)}:${line}`, code(from), code(to), reason];
}

/** As code within a cell of a table. */
function code(text) {
  const short = text.replaceAll(/\s+/g, ' ').slice(0, 60).replaceAll('|', '\\|').replaceAll('`', "'");
  return `\`${short || ' '}\``;
}
