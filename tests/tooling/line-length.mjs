// No line is longer than 120 columns, comments included: the formatter breaks code, but leaves comments and texts
// alone.
// `--wrap` breaks comments at the words, as `npm run format` does; what is left (texts in code) is for the author.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { root } from './entries.mjs';

const maxColumns = 120;
const allowedFile = join(root, 'tests/tooling/long-lines.json');
/** Tests and benchmarks whose texts make longer lines; the list only shrinks. */
const allowed = JSON.parse(readFileSync(allowedFile, 'utf8'));
const isWrapping = process.argv.includes('--wrap');

const patterns = ['src', 'tests', 'examples'].flatMap((folder) => [`${folder}/*.ts`, `${folder}/*.mjs`]);
const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--', ...patterns], {
  cwd: root,
  encoding: 'utf8',
});
/** Made by a tool, and left as it is. */
const isGenerated = (file) => file.includes('/generated/');
const files = [...new Set(listed.trim().split('\n'))].filter((file) => !isGenerated(file));
const long = new Set(files.filter((file) => longLines(file).length > 0));
const healed = allowed.filter((file) => !long.has(file));
if (isWrapping && healed.length > 0) writeFileSync(allowedFile, render(allowed.filter((file) => long.has(file))));
else
  for (const file of healed)
    complain(`${file} has no long line any more: strike it from tests/tooling/long-lines.json`);
for (const file of long) {
  if (allowed.includes(file)) continue;
  for (const { at, columns } of longLines(file))
    complain(`${file}:${at} is ${columns} columns long, not ${maxColumns}`);
}

/** After wrapping, where that is asked for. A file that is gone has none. */
function longLines(file) {
  const path = join(root, file);
  const text = read(path);
  const kept = isWrapping ? wrapComments(text) : text;
  if (kept !== text) writeFileSync(path, kept);
  return kept
    .split('\n')
    .map((line, index) => ({ at: index + 1, columns: columnsOf(line) }))
    .filter(({ columns }) => columns > maxColumns);
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return '';
    throw error;
  }
}

/**
 * A paragraph of a comment with a long line in it is filled anew from that line on: `// …`, ` * …`, and a one-line
 * `/** … *\/`, which becomes a block. Lists' starts, tags and blank lines begin a paragraph of their own; code samples
 * are the author's to break.
 */
function wrapComments(text) {
  const lines = text.split('\n').flatMap(openBlock);
  const done = [];
  let isSample = false;
  while (lines.length > 0) {
    const line = lines.shift();
    if (/^\s*\* ```/.test(line)) isSample = !isSample;
    const isLong = columnsOf(line) > maxColumns && !isSample;
    const match = isLong ? /^(\s*(?:\/\/|\*) )(- |)(.*)$/.exec(line) : null;
    if (match === null) {
      done.push(line);
      continue;
    }
    const [, mark, bullet, first] = match;
    const indent = mark + ' '.repeat(bullet.length);
    const rest = [];
    while (lines.length > 0 && continues(lines[0], indent)) rest.push(lines.shift().slice(indent.length));
    done.push(...fill([first, ...rest].join(' '), mark + bullet, indent));
  }
  return done.join('\n');
}

/** A one-line block that is too long becomes several: a tag begins a line of its own, or no tool would see it. */
function openBlock(line) {
  const match = columnsOf(line) > maxColumns ? /^(\s*)\/\*\* (.*) \*\/$/.exec(line) : null;
  if (match === null) return [line];
  const [, indent, text] = match;
  const paragraphs = text.split(/ (?=@(?:param|returns|throws) )/).map((paragraph) => `${indent} * ${paragraph}`);
  return [`${indent}/**`, ...paragraphs, `${indent} */`];
}

/** Whether the line goes on with the paragraph before it: same mark, then a word. */
function continues(line, indent) {
  return (
    line.startsWith(indent) && /^(?!```|[-@|#\s]|\d+\. )\S/.test(line.slice(indent.length)) && !line.endsWith('*/')
  );
}

function fill(text, first, indent) {
  const lines = [];
  let line = first;
  for (const word of text.match(/\{@[^}]*\}\S*|\S+/g)) {
    const isEmpty = line === first || line === indent;
    if (!isEmpty && columnsOf(line) + 1 + columnsOf(word) > maxColumns) {
      lines.push(line);
      line = indent + word;
    } else line += isEmpty ? word : ` ${word}`;
  }
  return [...lines, line];
}

function columnsOf(line) {
  // Code points, so that `→` is one column; combined signs are none of ours.
  return Array.from(line).length;
}

function render(list) {
  return `${JSON.stringify(list, null, 2)}\n`;
}

function complain(message) {
  console.error(message);
  process.exitCode = 1;
}
