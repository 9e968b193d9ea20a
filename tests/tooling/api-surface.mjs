// What the package publishes in types: the exports of each entry with the text of their declarations, and the types of
// ours that these name without exporting them. Read from the built declarations.
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';

import { entries, root } from './entries.mjs';

// TypeScript 7 has no API. The older one comes with attw: a dependency of ours on it would fight for `tsc`'s name.
const ourRequire = createRequire(import.meta.url);
const ts = createRequire(ourRequire.resolve('@arethetypeswrong/core'))('typescript');
const dist = join(root, 'dist', 'esm');
const files = entries.map(({ specifier, source }) => ({
  specifier,
  path: join(dist, source.replace(/^src\//, '').replace(/\.ts$/, '.d.ts')),
}));
const program = ts.createProgram(
  files.map(({ path }) => path),
  { module: ts.ModuleKind.NodeNext, lib: ['lib.es2023.d.ts'], types: ['node'], noEmit: true, skipLibCheck: true },
);
const checker = program.getTypeChecker();
const printer = ts.createPrinter({ removeComments: true, newLine: ts.NewLineKind.LineFeed });

/** One row per entry: `{ specifier, names: [{ name, symbol }] }`, the names sorted. */
export const surface = files.map(({ specifier, path }) => {
  const module = checker.getSymbolAtLocation(program.getSourceFile(path));
  const names = checker.getExportsOfModule(module).map((symbol) => ({ name: symbol.name, symbol: original(symbol) }));
  return { specifier, names: names.sort((a, b) => (a.name < b.name ? -1 : 1)) };
});

/** The declarations of a symbol, without comments and private members; a variable comes with its statement. */
export function declarationText(symbol) {
  const nodes = new Set(symbol.declarations.map(statementOf));
  return [...nodes].map((node) =>
    printer.printNode(ts.EmitHint.Unspecified, withoutPrivate(node), node.getSourceFile()),
  );
}

/** Named types of ours that an export leads to and that no entry exports: `{ name, file, path }`, path being how. */
export function internalTypes() {
  const exported = new Set(surface.flatMap(({ names }) => names.map(({ symbol }) => symbol)));
  const found = new Map();
  const seen = new Set();
  const walk = (symbol, path) => {
    if (seen.has(symbol)) return;
    seen.add(symbol);
    for (const next of symbol.declarations.flatMap(referencedSymbols)) {
      if (!exported.has(next) && !found.has(next)) found.set(next, [...path, next.name]);
      if (!exported.has(next)) walk(next, [...path, next.name]);
    }
  };
  for (const symbol of exported) walk(symbol, [symbol.name]);
  return [...found]
    .map(([{ name, declarations }, path]) => ({ name, file: fileOf(declarations[0]), path: path.join(' > ') }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function original(symbol) {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

function fileOf(node) {
  return relative(dist, node.getSourceFile().fileName);
}

function statementOf(node) {
  return ts.isVariableDeclaration(node) ? node.parent.parent : node;
}

function isPrivate(node) {
  const isMarked =
    ts.canHaveModifiers(node) && ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword);
  // A private constructor says that one cannot be made from outside, so it stays.
  return (isMarked && !ts.isConstructorDeclaration(node)) || (node.name && ts.isPrivateIdentifier(node.name));
}

function withoutPrivate(node) {
  if (!ts.isClassDeclaration(node)) return node;
  const members = node.members.filter((member) => !isPrivate(member));
  const { modifiers, name, typeParameters, heritageClauses } = node;
  return ts.factory.updateClassDeclaration(node, modifiers, name, typeParameters, heritageClauses, members);
}

/** Top-level symbols of ours that the declaration names: in members, parameters, bounds, `extends`, `typeof`. */
function referencedSymbols(declaration) {
  const found = [];
  const visit = (node) => {
    if (isPrivate(node)) return;
    if (ts.isIdentifier(node)) found.push(checker.getSymbolAtLocation(node));
    ts.forEachChild(node, visit);
  };
  visit(declaration);
  return found.filter(Boolean).map(original).filter(isTopLevelOfOurs);
}

function isTopLevelOfOurs({ declarations = [] }) {
  return declarations.some((declaration) => {
    const { parent } = statementOf(declaration);
    return parent && ts.isSourceFile(parent) && parent.fileName.startsWith(dist);
  });
}
