/** The token of a request: header `X-Nomad-Token`, else `Authorization: Bearer <secret>`. @param header looks up a header by its lower-case name */
export function tokenFromHeaders(
  header: (name: string) => string | readonly string[] | null | undefined,
): string | undefined {
  const own = one(header('x-nomad-token'));
  if (own) return own;
  const match = /^Bearer +(\S+) *$/i.exec(one(header('authorization')) ?? '');
  return match?.[1];
}

function one(value: string | readonly string[] | null | undefined): string | undefined {
  return typeof value === 'string' ? value.trim() : value?.[0]?.trim();
}
