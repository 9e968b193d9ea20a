import { describe } from './describe.ts';
import { checkOptions, type OptionNames } from './options.ts';

/** What an option that is a number has to be. */
export interface NumberRule {
  /** For the message: "stalledMs must be a number > 0". */
  readonly allowed: string;
  readonly holds: (value: number) => boolean;
}

export const notNegative: NumberRule = { allowed: 'a number ≥ 0', holds: (value) => value >= 0 };
/** Zero or more milliseconds, or the like, and no Infinity. */
export const finite: NumberRule = {
  allowed: 'a finite number ≥ 0',
  holds: (value) => value >= 0 && Number.isFinite(value),
};
export const positive: NumberRule = { allowed: 'a number > 0', holds: (value) => value > 0 };
export const whole = (least: number): NumberRule => ({
  allowed: `a whole number ≥ ${least}`,
  holds: (value) => Number.isSafeInteger(value) && value >= least,
});

/** Where something stands: the index of a batch, or 0 before the first. */
export const indexOrNone: NumberRule = { ...whole(0), allowed: 'an index or 0' };

/**
 * An option as a host gave it. A text is refused, as from an environment variable: `'60' >= 1` holds, and `'60' + 1` is
 * '601'.
 * @throws TypeError that names the option, what is allowed, and what was given
 */
export function checkNumber(name: string, value: unknown, { allowed, holds }: NumberRule): number {
  if (typeof value === 'number' && holds(value)) return value;
  throw new TypeError(`${name} must be ${allowed}; got ${describe(value)}.`);
}

/** Several under one rule, by name. */
export function checkNumbers(values: Readonly<Record<string, unknown>>, rule: NumberRule): void {
  for (const [name, value] of Object.entries(values)) checkNumber(name, value, rule);
}

/** Limits, each a whole number of at least 1. */
export type Counts<Options> = { readonly [Name in keyof Options]-?: number };

/**
 * Limits with their defaults.
 * @param where the option that holds them, for the message
 * @param rule what each must be, for the message
 * @throws TypeError for one that is not known, or no whole number from 1 on
 */
export function checkCounts<Options extends object>(
  given: Options,
  defaults: Counts<Options>,
  where: string,
  rule: string,
): Counts<Options> {
  const known = Object.fromEntries(Object.keys(defaults).map((name) => [name, true])) as OptionNames<Options>;
  checkOptions<Options>(given, known, where);
  const checked = { ...defaults, ...given };
  for (const [name, value] of Object.entries<unknown>(checked)) {
    checkNumber(`${where}.${name}`, value, { ...whole(1), allowed: rule });
  }
  return checked;
}
