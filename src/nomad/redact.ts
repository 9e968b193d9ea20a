/**
 * Members that hold a credential in some Nomad object, wherever they stand in it. Names that other objects use for what
 * is no secret (`Secrets`: values in a CSI volume, mere declarations in a job) are listed with their topic instead.
 */
const secretMembers: ReadonlySet<string> = new Set([
  'SecretID',
  'VaultToken',
  'ConsulToken',
  'LeaderACL',
  'SignedIdentities',
  'OIDCClientSecret',
  'ClientSecret',
  'PemKey',
]);

/**
 * The object without credentials and with the listed members of its own emptied: `''` for a string, else null. Members
 * keep their order, and absent ones stay absent. The given object is never changed; parts without secrets are shared
 * with it.
 */
export function redact(object: object, emptied: readonly string[] = []): unknown {
  return redactValue(object, (name) => isSecret(name) || emptied.includes(name), new Set());
}

/** @param above the objects that this value stands in: a circle is left as it is, for `publish` to refuse */
function redactValue(value: unknown, isEmptied: (name: string) => boolean, above: Set<object>): unknown {
  const plain = jsonFormOf(value);
  if (typeof plain !== 'object' || plain === null || above.has(plain)) return plain;
  above.add(plain);
  const changes: [string, unknown][] = [];
  for (const [name, member] of Object.entries(plain) as [string, unknown][]) {
    const kept = isEmptied(name) ? empty(member) : redactValue(member, isSecret, above);
    if (kept !== member) changes.push([name, kept]);
  }
  // Not a circle: the same object may stand in two places, and both are redacted.
  above.delete(plain);
  return changes.length === 0 ? plain : changed(plain, changes);
}

/** What JSON shows of it: looking at anything else could miss a secret that `toJSON` brings out. */
function jsonFormOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('toJSON' in value)) return value;
  return typeof value.toJSON === 'function' ? (value as { toJSON(): unknown }).toJSON() : value;
}

/** Overwriting a member keeps its place. */
function changed(object: object, changes: readonly [string, unknown][]): object {
  const copy: object = Array.isArray(object) ? [...(object as unknown[])] : { ...object };
  return Object.assign(copy, Object.fromEntries(changes));
}

function isSecret(name: string): boolean {
  return secretMembers.has(name);
}

function empty(value: unknown): unknown {
  if (value === undefined) return value;
  return typeof value === 'string' ? '' : null;
}
