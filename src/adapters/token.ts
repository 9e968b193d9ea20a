import { headerValue, type HeaderLookUp } from './header.ts';

/**
 * The token of a request: header `X-Nomad-Token`, else `Authorization: Bearer <secret>`.
 * @param header looks up a header by its lower-case name
 */
export function tokenFromHeaders(header: HeaderLookUp): string | undefined {
  const own = headerValue(header, 'x-nomad-token');
  if (own) return own;
  const match = /^Bearer +(\S+) *$/i.exec(headerValue(header, 'authorization') ?? '');
  return match?.[1];
}
