import { describe } from '../model/describe.ts';
import { checkOptions, type OptionNames } from '../model/options.ts';
import { checkRequest } from './request-checks.ts';
import type { StreamPart } from './stream-features.ts';
import type { StreamOptions } from './stream-options.ts';
import type { ExtendingPart } from './stream-parts.ts';

const known: OptionNames<StreamOptions> = {
  topics: true,
  namespace: true,
  index: true,
  epoch: true,
  seen: true,
  appended: true,
  state: true,
  mark: true,
  snapshot: true,
  token: true,
  credentials: true,
  signal: true,
  minDelayMs: true,
  maxDelayMs: true,
  heartbeatMs: true,
  maxLineBytes: true,
  retryStatuses: true,
  onGap: true,
  onState: true,
  headers: true,
  parse: true,
  fetch: true,
  random: true,
  clock: true,
};

const numbers = ['minDelayMs', 'maxDelayMs', 'heartbeatMs', 'maxLineBytes'] as const;
const functions = ['snapshot', 'onState', 'parse', 'fetch', 'random'] as const;
const credentials: ReadonlySet<unknown> = new Set(['omit', 'same-origin', 'include']);

function check(options: StreamOptions): void {
  checkOptions<StreamOptions>(options, known, 'streamEvents');
  for (const name of numbers) {
    const value = options[name];
    if (value !== undefined && !(typeof value === 'number' && value > 0))
      throw new TypeError(`${name} must be a number above 0; got ${describe(value)}.`);
  }
  for (const name of functions) {
    const value = options[name];
    if (value !== undefined && typeof value !== 'function')
      throw new TypeError(`${name} must be a function; got ${describe(value)}.`);
  }
  if (options.credentials !== undefined && !credentials.has(options.credentials))
    throw new TypeError(
      `credentials must be "omit", "same-origin" or "include"; got ${describe(options.credentials)}.`,
    );
  checkState(options);
  checkStatuses(options.retryStatuses);
  checkTopics(options.topics);
}

function checkState({ state, snapshot, index }: StreamOptions): void {
  if (!state) return;
  if (snapshot !== undefined)
    throw new TypeError('state and snapshot exclude each other: the state is the server’s, or your own.');
  if (index === 'latest')
    throw new TypeError('state needs an index: 0 for all of it, or one to go on from; got "latest".');
}

function checkStatuses(statuses: unknown): void {
  if (statuses === undefined) return;
  const isStatus = (status: unknown): boolean =>
    Number.isInteger(status) && (status as number) >= 300 && (status as number) <= 599;
  if (!Array.isArray(statuses)) throw badStatuses(statuses);
  for (const status of statuses) if (!isStatus(status)) throw badStatuses(status);
}

const badStatuses = (value: unknown): TypeError =>
  new TypeError(`retryStatuses must be a list of statuses from 300 to 599, such as [404]; got ${describe(value)}.`);

function checkTopics(topics: unknown): void {
  if (topics === undefined) return;
  if (typeof topics !== 'object' || topics === null) throw badTopics(topics);
  if (Array.isArray(topics)) {
    for (const term of topics) if (typeof term !== 'string') throw badTopics(term);
    return;
  }
  const keysOf = Object.values(topics);
  if (keysOf.length === 0 || keysOf.some((keys) => !Array.isArray(keys) || keys.length === 0))
    throw new TypeError('Each of topics must have a list of keys; for all keys: ["*"].');
}

const badTopics = (value: unknown): TypeError =>
  new TypeError(
    `topics must be a list such as ["Job:web"], or an object such as {Job: ["web"]}; got ${describe(value)}.`,
  );

const part: ExtendingPart<'checks'> = {
  part: 'checks',
  extend(settings, _stream, options) {
    check(options);
    settings.checkRequest = checkRequest;
  },
};

/** Refuses what cannot be meant or sent, and says why. See {@link StreamFeatures}. */
export const checks: StreamPart<'checks'> = part;
