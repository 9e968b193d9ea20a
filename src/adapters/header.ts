/** Looks up a header by its lower-case name, as each kind of server keeps it. */
export type HeaderLookUp = (name: string) => string | readonly string[] | null | undefined;

/**
 * The first value of a header, without the blanks that HTTP allows around it (RFC 9110, section 5.5), and no other
 * letters.
 */
export function headerValue(header: HeaderLookUp, name: string): string | undefined {
  const value = header(name);
  return withoutBlanks(typeof value === 'string' ? value : value?.[0]);
}

/**
 * One step for each blank. Not a pattern: the one for blanks at the end tries at every blank of the value, and needs
 * seconds for 16 KB of them, from anybody.
 */
function withoutBlanks(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  let [start, end] = [0, value.length];
  while (start < end && isBlank(value[start])) start++;
  while (end > start && isBlank(value[end - 1])) end--;
  return value.slice(start, end);
}

const isBlank = (letter: string | undefined): boolean => letter === ' ' || letter === '\t';

/**
 * Whether a list such as `Accept` or `Accept-Encoding` names one of these, in any case, with a weight above 0 (RFC
 * 9110, section 12.4.2). The first of `names` that stands there counts.
 */
export function accepts(list: string | undefined, ...names: readonly string[]): boolean {
  const entries = (list ?? '').split(',').map((entry) => {
    const [name = '', ...parameters] = entry.toLowerCase().split(';');
    return { name: name.trim(), isRefused: parameters.some((one) => /^\s*q=0(\.0*)?\s*$/.test(one)) };
  });
  const entry = names.flatMap((wanted) => entries.find(({ name }) => name === wanted) ?? []).at(0);
  return entry !== undefined && !entry.isRefused;
}
