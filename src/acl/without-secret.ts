import { inspect } from 'node:util';

/** What is told where a failure cannot be told without the secret. */
const UNTOLD = 'The ACL store failed.';

/**
 * A store's failure may quote what it was asked for. Returns `cause` itself when its printed form does not hold the
 * secret, else an error with the same text in which the secret is blotted out; with a text of ours, where the secret
 * stands in it in another way of writing.
 */
export function withoutSecret(cause: unknown, secret: string | undefined): unknown {
  if (!secret || !mayTell(cause, secret)) return cause;
  const text = (cause instanceof Error ? cause.message : UNTOLD).replaceAll(secret, '[secret]');
  return new Error(holds(text, secret) ? UNTOLD : text);
}

/** As deep as a log is likely to print it. What cannot be printed is taken to tell. */
export function mayTell(cause: unknown, secret: string): boolean {
  try {
    return holds(inspect(cause, { depth: 6, showHidden: true, maxStringLength: null, maxArrayLength: null }), secret);
  } catch {
    return true;
  }
}

/** As it is, or as strings in code, JSON and URLs are written. */
function holds(text: string, secret: string): boolean {
  const bare = withoutEscapes(secret);
  return [text, percentDecoded(text)].some((one) => withoutEscapes(one).includes(bare));
}

/** Quotes and backslashes have a backslash before them where a string is printed, and one more each time. */
const withoutEscapes = (text: string): string => text.replaceAll('\\', '');

/** Of ASCII, which secrets are. */
function percentDecoded(text: string): string {
  return text.replaceAll(/%[2-7][0-9a-f]/gi, (escape) => String.fromCodePoint(Number.parseInt(escape.slice(1), 16)));
}
