import { inspect } from 'node:util';

/**
 * A store's failure may quote what it was asked for. Returns `cause` itself when its printed form does not hold the
 * secret, else an error with the same text in which the secret is blotted out.
 */
export function withoutSecret(cause: unknown, secret: string | undefined): unknown {
  if (!secret || !mayTell(cause, secret)) return cause;
  const text = cause instanceof Error ? cause.message : 'The ACL store failed.';
  return new Error(text.replaceAll(secret, '[secret]'));
}

/** As deep as a log is likely to print it. What cannot be printed is taken to tell. */
function mayTell(cause: unknown, secret: string): boolean {
  try {
    return inspect(cause, { depth: 6, showHidden: true, maxStringLength: null, maxArrayLength: null }).includes(secret);
  } catch {
    return true;
  }
}
