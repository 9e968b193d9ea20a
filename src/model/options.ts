import { describe } from './describe.ts';

/** Every option of `O`, none left out: what {@link checkOptions} takes for known. */
export type OptionNames<O> = Readonly<Record<keyof O & string, true>>;

/**
 * Refuses an option whose name is not known. A misspelt one would else be no option at all: `acls` for `acl` is a
 * broker without any ACL.
 * @param where what takes the options, for the message: `EventBroker`
 * @throws TypeError that names the nearest known option, then all
 */
export function checkOptions<O extends object>(options: O | undefined, known: OptionNames<O>, where: string): void {
  if (options === undefined) return;
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`${where} takes an object of options; got ${describe(options)}.`);
  const fault = unknownName(options, known);
  if (fault !== undefined) throw new TypeError(`${where} has no option ${fault}`);
}

/** The first name that is not known, as the end of a sentence, with the nearest known one and all others. */
export function unknownName<O extends object>(options: O, known: OptionNames<O>): string | undefined {
  // A loop: each publish comes through here.
  for (const name of Object.keys(options)) if (!Object.hasOwn(known, name)) return described(name, Object.keys(known));
  return undefined;
}

function described(name: string, known: readonly string[]): string {
  return `${JSON.stringify(name)}.${hintFor(name, known)} Known: ${known.toSorted().join(', ')}.`;
}

/** A question that names the nearest known name, to stand behind a sentence; `''` where none is near. */
export function hintFor(name: unknown, known: readonly string[]): string {
  const near = typeof name === 'string' ? nearestOf(name, known) : undefined;
  return near === undefined ? '' : ` Did you mean ${JSON.stringify(near)}?`;
}

/** The known name that differs least from `name`; undefined when all differ in more than every third letter. */
export function nearestOf(name: string, known: readonly string[]): string | undefined {
  const mostEdits = (other: string): number => Math.max(1, Math.max(name.length, other.length) / 3);
  const [nearest] = known
    // It takes at least as many edits as the lengths differ. So a very long name, which may be anybody's, costs
    // nothing.
    .filter((other) => Math.abs(name.length - other.length) <= mostEdits(other))
    .map((other) => ({ other, edits: editsBetween(name.toLowerCase(), other.toLowerCase()) }))
    .filter(({ other, edits }) => edits <= mostEdits(other))
    .toSorted((a, b) => a.edits - b.edits);
  return nearest?.other;
}

/** How many letters have to be put in, taken out or replaced (Levenshtein's distance). */
function editsBetween(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (above[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, (above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    above = row;
  }
  return above[b.length] ?? 0;
}
