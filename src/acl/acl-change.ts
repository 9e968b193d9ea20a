import { BrokerError } from '../model/errors.ts';
import type { AclRef } from '../model/acl-ref.ts';

/** Which ACL object changed: a token by its accessor ID, a policy by its name, or a role by its ID. */
export type AclChange = { readonly token: string } | { readonly policy: string } | { readonly role: string };

/** @throws BrokerError `bad_request` for anything else than an {@link AclChange} or several */
export function refsOf(changes: AclChange | readonly AclChange[]): readonly AclRef[] {
  return [changes].flat().map(refOf);
}

function refOf(change: AclChange): AclRef {
  for (const kind of ['token', 'policy', 'role'] as const) {
    const name = (change as { readonly [K in typeof kind]?: unknown } | undefined)?.[kind];
    if (typeof name === 'string' && name !== '') return `${kind}:${name}`;
  }
  throw new BrokerError(
    'bad_request',
    'aclChanged takes { token: accessorId }, { policy: name } or { role: id }, or an array of them.',
  );
}
