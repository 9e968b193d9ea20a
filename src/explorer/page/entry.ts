import type { Event, Gap } from '../../client/index.ts';

/** One row of the table. */
export type Entry =
  /** `at`: when it came; undefined for an event of the backlog, whose time is not known. */
  | { readonly kind: 'event'; readonly at: Date | undefined; readonly event: Event }
  | { readonly kind: 'gap'; readonly at: Date; readonly gap: Gap }
  /** Something befell the connection. */
  | { readonly kind: 'notice'; readonly at: Date; readonly tone: 'good' | 'bad'; readonly text: string };

const gapTexts: Readonly<Record<string, string>> = {
  trimmed: 'they had left the backlog',
  slow: 'they left the backlog before they were read',
  restarted: 'the server began anew, and so do its indexes',
  ahead: 'the log came back shorter, and gives these indexes again',
};

export function gapText({ from, to, reason }: Gap): string {
  const missing = from === to ? `index ${from}` : `indexes ${from} to ${to}`;
  const why = gapTexts[reason] ?? 'for a reason this page does not know';
  return `${reason}. Events at ${missing} may be missing: ${why}.`;
}

/** The code of a stream's error; of any other, its message. */
export function errorName(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? String(error.code) : error.message;
}

/** `code: message` of a stream's error; of any other, its message. */
export function errorText(error: unknown): string {
  const name = errorName(error);
  return error instanceof Error && error.message !== name ? `${name}: ${error.message}` : name;
}
