import { BrokerError } from '../../model/errors.ts';
import { describe } from '../../model/describe.ts';

/** What a mark says. */
export interface StateMark {
  /** Stands for what the reader asked for and may see: another one shows another state. */
  readonly view: string;
  /** Removals up to this index are of objects that its reader never had. */
  readonly since: number;
}

/** As clients get it, and give it back: to them it is one word. */
export const markText = ({ view, since }: StateMark): string => `${view}.${since}`;

/** Of no state: who resumes with it is told that what it holds counts no more. */
export const staleMark = markText({ view: '0', since: 0 });

/** @throws BrokerError `bad_request` for a text that is no mark */
export function parseMark(text: string): StateMark {
  const [, view = '', digits = '0'] = /^([0-9a-z]{1,11})(?:\.(\d{1,16}))?$/.exec(text) ?? [];
  const since = Number(digits);
  if (view !== '' && Number.isSafeInteger(since)) return { view, since };
  throw new BrokerError('bad_request', `mark must be one that a stream of a state gave; got ${describe(text)}.`);
}
