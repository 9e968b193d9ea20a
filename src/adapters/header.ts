/** Looks up a header by its lower-case name, as each kind of server keeps it. */
export type HeaderLookUp = (name: string) => string | readonly string[] | null | undefined;

/**
 * The first value of a header, without the blanks that HTTP allows around it (RFC 9110, section 5.5), and no other
 * letters.
 */
export function headerValue(header: HeaderLookUp, name: string): string | undefined {
  const value = header(name);
  return (typeof value === 'string' ? value : value?.[0])?.replaceAll(/^[ \t]+|[ \t]+$/g, '');
}
