/** Looks up a header by its lower-case name, as each kind of server keeps it. */
export type HeaderLookUp = (name: string) => string | readonly string[] | null | undefined;

/** The first value of a header, without blanks around it. */
export function headerValue(header: HeaderLookUp, name: string): string | undefined {
  const value = header(name);
  return (typeof value === 'string' ? value : value?.[0])?.trim();
}
