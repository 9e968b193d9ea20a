// Writes all mutants of a file into it, each behind a switch, with Stryker's instrumenter.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { createInstrumenter } from '@stryker-mutator/instrumenter';

const silent = new Proxy({}, { get: (_, name) => () => (String(name).startsWith('is') ? false : undefined) });

/** The instrumenter asks Stryker's injector for its parts; this is as much of one as it takes. */
function makeInstrumenter() {
  const provided = new Map([['logger', silent]]);
  const injector = {
    provideValue(token, value) {
      provided.set(token, value);
      return injector;
    },
    injectClass: (Class) => new Class(...Class.inject.map((token) => provided.get(token))),
  };
  return createInstrumenter(injector);
}

const errorNames = /^(?:TypeError|RangeError|BrokerError)$/;
const helpers = new Set([
  ...['invariant', 'refused', 'bad', 'describe', 'unknownName', 'hintFor', 'conflict', 'unsupported'],
  ...['checkOptions', 'checkNumber', 'checkNumbers', 'checkCounts', 'limitError'],
]);

/** The wording of an error is for people. Which error it is, and its code, are mutated. */
const wording = {
  name: 'wording',
  shouldIgnore(path) {
    if (!path.isStringLiteral() && !path.isTemplateLiteral() && !path.isBinaryExpression({ operator: '+' })) return;
    const { parent, key, listKey } = path;
    if (listKey !== 'arguments') return;
    const name = parent.callee?.name;
    const isCode = (name === 'BrokerError' || name === 'limitError') && key === 0;
    if (parent.type === 'NewExpression' && errorNames.test(name) && !isCode) return 'the wording of an error';
    if (parent.type === 'CallExpression' && helpers.has(name) && !isCode) return 'the wording of an error';
  },
};

/** `{ store: true }` where options are checked: TypeScript wants each name there, and a value. Only names are read. */
const optionNames = {
  name: 'options',
  shouldIgnore(path) {
    if (!path.isBooleanLiteral() || !path.parentPath.isObjectProperty()) return;
    const { node, parent } = path.parentPath.parentPath;
    const isTyped =
      parent.type === 'VariableDeclarator' && parent.id.typeAnnotation?.typeAnnotation.typeName?.name === 'OptionNames';
    const isArgument =
      parent.type === 'CallExpression' && parent.callee.name === 'checkOptions' && parent.arguments[1] === node;
    if (isTyped || isArgument) return 'only the name is read';
  },
};

/** @returns its mutants: `{ id, file, line, column, mutator, from, to, isIgnored }` */
export async function instrument(root, folder) {
  const names = readdirSync(join(root, folder), { recursive: true }).filter((name) => name.endsWith('.ts'));
  const sources = names.map((name) => ({
    name: join(folder, name),
    content: readFileSync(join(root, folder, name), 'utf8'),
  }));
  const options = { plugins: null, ignorers: [wording, optionNames], excludedMutations: [], noHeader: false };
  const files = sources.map((source) => ({ ...source, mutate: true }));
  const { files: written, mutants } = await makeInstrumenter().instrument(files, options);
  for (const { name, content } of written) writeFileSync(join(root, name), content);
  const textOf = new Map(sources.map(({ name, content }) => [name, content.split('\n')]));
  return mutants.map((mutant) => rowOf(mutant, textOf.get(mutant.fileName)));
}

function rowOf({ id, fileName, location, mutatorName, replacement, status }, lines) {
  const { start, end } = location;
  const isOneLine = start.line === end.line;
  const from = lines[start.line].slice(start.column, isOneLine ? end.column : undefined) + (isOneLine ? '' : ' …');
  return {
    id,
    file: fileName.replaceAll('\\', '/'),
    line: start.line + 1,
    column: start.column + 1,
    mutator: mutatorName,
    from,
    to: replacement,
    isIgnored: status === 'Ignored',
  };
}
