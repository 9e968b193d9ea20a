/** A line of a difference: what was there before (`-`), what is there now (`+`), or where it stands. */
export interface DiffLine {
  readonly sign: ' ' | '+' | '-';
  readonly text: string;
}

/** Longer differences are cut: nobody reads them, and each line costs layout. */
const MAX_LINES = 1000;
const MAX_LINE_CHARACTERS = 2000;
/** Of a value that is new, gone, or of another kind. */
const MAX_VALUE_CHARACTERS = 256 * 1024;

/** What stands in the same place before and after; undefined, which JSON does not have, where there is nothing. */
type Member = readonly [label: string, before: unknown, after: unknown];

const brackets = { array: { open: '[', close: ']' }, object: { open: '{', close: '}' } } as const;

/**
 * The difference between two values of JSON, as their pretty text with the changed lines alone: what is equal is
 * counted. Arrays are held against each other from both ends, so that what was put in, or taken out, at one place is
 * one change. None where they are equal.
 */
export function jsonDiff(before: unknown, after: unknown): readonly DiffLine[] {
  const lines = diffOf('', before, after, '');
  if (lines.length <= MAX_LINES) return lines;
  const more = (lines.length - MAX_LINES).toLocaleString();
  return [...lines.slice(0, MAX_LINES), { sign: ' ', text: `… ${more} more lines` }];
}

function diffOf(label: string, before: unknown, after: unknown, indent: string): readonly DiffLine[] {
  if (before === after) return [];
  if (before === undefined) return textLines('+', label, after, indent);
  if (after === undefined) return textLines('-', label, before, indent);
  if (Array.isArray(before) && Array.isArray(after)) {
    return within(label, brackets.array, itemsOf(before, after), indent);
  }
  if (isObject(before) && isObject(after)) return within(label, brackets.object, membersOf(before, after), indent);
  return [...textLines('-', label, before, indent), ...textLines('+', label, after, indent)];
}

/** The members that differ, between the brackets that they stand in; nothing where none does. */
function within(
  label: string,
  { open, close }: (typeof brackets)[keyof typeof brackets],
  members: readonly Member[],
  indent: string,
): readonly DiffLine[] {
  const inner = `${indent}  `;
  const lines: DiffLine[] = [];
  let equal = 0;
  const tellEqual = (): void => {
    if (equal > 0) lines.push({ sign: ' ', text: `${inner}… ${equal.toLocaleString()} unchanged` });
    equal = 0;
  };
  for (const [name, before, after] of members) {
    const difference = diffOf(name, before, after, inner);
    if (difference.length === 0) equal++;
    else {
      tellEqual();
      for (const line of difference) lines.push(line);
    }
  }
  if (lines.length === 0) return [];
  tellEqual();
  return [{ sign: ' ', text: `${indent}${label}${open}` }, ...lines, { sign: ' ', text: `${indent}${close}` }];
}

/** In the order of now, with what is gone behind. */
function membersOf(before: Record<string, unknown>, after: Record<string, unknown>): readonly Member[] {
  const gone = Object.keys(before).filter((name) => !Object.hasOwn(after, name));
  return [...Object.keys(after), ...gone].map((name) => [
    `${JSON.stringify(name)}: `,
    ownMember(before, name),
    ownMember(after, name),
  ]);
}

/** An object from anywhere may name a member `constructor`. */
function ownMember(object: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** What is equal at both ends is paired; of the rest, as many as there are on both sides. */
function itemsOf(before: readonly unknown[], after: readonly unknown[]): readonly Member[] {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && isEqual(before[start], after[start])) start++;
  let end = 0;
  while (end < shorter - start && isEqual(before.at(-1 - end), after.at(-1 - end))) end++;
  const changedBefore = before.slice(start, before.length - end);
  const changedAfter = after.slice(start, after.length - end);
  const { length } = changedBefore.length > changedAfter.length ? changedBefore : changedAfter;
  const same = (item: unknown): Member => ['', item, item];
  return [
    ...after.slice(0, start).map(same),
    ...Array.from({ length }, (_, i): Member => ['', changedBefore[i], changedAfter[i]]),
    ...after.slice(after.length - end).map(same),
  ];
}

function isEqual(before: unknown, after: unknown): boolean {
  if (before === after) return true;
  if (Array.isArray(before) && Array.isArray(after))
    return before.length === after.length && before.every((item, i) => isEqual(item, after[i]));
  if (!isObject(before) || !isObject(after)) return false;
  const names = Object.keys(before);
  const isSame = (name: string): boolean => Object.hasOwn(after, name) && isEqual(before[name], after[name]);
  return names.length === Object.keys(after).length && names.every(isSame);
}

function textLines(sign: '+' | '-', label: string, value: unknown, indent: string): readonly DiffLine[] {
  const pretty = JSON.stringify(value, null, 2).slice(0, MAX_VALUE_CHARACTERS);
  const lines = `${label}${pretty}`.split('\n');
  return lines.map((line) => `${indent}${line}`).map((line) => ({ sign, text: cut(line) }));
}

function cut(line: string): string {
  const more = line.length - MAX_LINE_CHARACTERS;
  return more > 0 ? `${line.slice(0, MAX_LINE_CHARACTERS)} … ${more.toLocaleString()} more characters` : line;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
