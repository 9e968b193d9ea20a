import { describe } from './describe.ts';
import { BrokerError, type PayloadIssue } from './errors.ts';
import type { EventPlace } from './event.ts';
import type { SchemaIssue, StandardSchema } from './standard-schema.ts';

/** Which event a schema is asked about. */
interface Asked extends EventPlace {
  readonly topic: string;
  readonly type: string;
}

/** An error keeps so many issues: a list of ten thousand wrong members is wrong for one reason. */
const MAX_ISSUES = 100;

/** So many stand in the message, each cut to so many letters. */
const MAX_TOLD = 3;
const MAX_LETTERS = 200;

/**
 * What a schema makes of a payload. It is asked at once: if it could answer later, a later publish could come first,
 * and the batch would not be there when `publish` returns.
 *
 * Of its issues, message and path are kept and nothing else: some libraries put the value itself beside them, which may
 * be a secret.
 * @throws BrokerError `bad_request`: with `issues` for a payload that does not fit, with a `cause` where the schema
 * threw; TypeError for an answer that is a promise, or none that a Standard Schema gives
 */
export function checkWithSchema(schema: StandardSchema, payload: unknown, asked: Asked): unknown {
  const result = answerOf(schema, payload, asked);
  if (isObject(result)) {
    if (typeof result['then'] === 'function') throw answersLater(result, asked);
    if (Array.isArray(result['issues']) && result['issues'].every(isIssue)) throw misfit(result['issues'], asked);
    if (result['issues'] === undefined && 'value' in result) return result['value'];
  }
  throw new TypeError(`The ${nameOf(asked)} must answer with { value } or { issues }; got ${describe(result)}.`);
}

function answerOf(schema: StandardSchema, payload: unknown, asked: Asked): unknown {
  try {
    return schema['~standard'].validate(payload);
  } catch (cause) {
    throw new BrokerError('bad_request', `${asked.at}.payload could not be checked: the ${nameOf(asked)} threw.`, {
      cause,
    });
  }
}

function answersLater(promise: object, asked: Asked): TypeError {
  // Nobody waits for it, and one that rejects unheard would end the process.
  Promise.resolve(promise).catch(() => undefined);
  return new TypeError(
    `The ${nameOf(asked)} answers with a promise. publish asks at once, so that events keep their order: give the ` +
      'topic a schema without asynchronous checks, and make those before publishing.',
  );
}

function misfit(found: readonly SchemaIssue[], asked: Asked): BrokerError {
  const issues = Object.freeze(found.slice(0, MAX_ISSUES).map((issue) => issueOf(issue, asked)));
  const told = issues.slice(0, MAX_TOLD).map(textOf);
  const more = found.length > told.length ? `; and ${found.length - told.length} more` : '';
  const text = told.length === 0 ? 'no reason is given' : told.join('; ') + more;
  const message = `${asked.at}.payload does not fit the ${nameOf(asked)}: ${text}. Nothing was published.`;
  return new BrokerError('bad_request', message, { issues });
}

/** The path is copied by `Array.from`: that of some libraries is a class of their own, whose `map` makes another. */
function issueOf({ message, path = [] }: SchemaIssue, { position }: Asked): PayloadIssue {
  return Object.freeze({ event: position, path: Object.freeze(Array.from(path, stepOf)), message });
}

function stepOf(segment: PropertyKey | { readonly key: PropertyKey }): string | number {
  const key = typeof segment === 'object' ? segment.key : segment;
  return typeof key === 'symbol' ? String(key) : key;
}

/** `items[0].price: Expected a number` */
function textOf({ path, message }: PayloadIssue): string {
  const place = path.map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`)).join('');
  return cut(place === '' ? message : `${place}: ${message}`).replace(/\.$/, '');
}

const cut = (text: string): string => (text.length > MAX_LETTERS ? `${text.slice(0, MAX_LETTERS)}…` : text);

const nameOf = ({ topic, type }: Asked): string => `schema of topic "${topic}" (type ${describe(type)})`;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

function isIssue(value: unknown): value is SchemaIssue {
  if (!isObject(value) || typeof value['message'] !== 'string') return false;
  return value['path'] === undefined || Array.isArray(value['path']);
}
