import { BrokerError } from '../model/errors.ts';
import { describe } from '../model/describe.ts';
import { checkOptions, hintFor, type OptionNames } from '../model/options.ts';
import type { BlockRights } from './rights-definition.ts';

/** A block, as rules are read with it. */
export interface RuleBlock {
  /** Whether each rule names what it is for; undefined where nobody can tell. */
  readonly isNamed: boolean | undefined;
  readonly isIgnored: boolean;
  readonly alias: string | undefined;
  /** What a topic may need of it; undefined for anything. */
  readonly requirable: readonly string[] | undefined;
  /** @throws BrokerError `bad_request` for a level that is not known */
  ofLevel(level: unknown, place: string): readonly string[];
  /** What a listed capability grants. @throws BrokerError `bad_request` for one that is not known */
  ofCapability(capability: unknown, place: string): readonly string[];
  /** @throws BrokerError `bad_request` for a member of a rule, beside `policy` and `capabilities`, that is not known */
  checkMember(name: string, value: unknown, place: string): void;
}

const DENY = 'deny';
const memberNames = ['policy', 'capabilities'];

const known: OptionNames<BlockRights> = {
  capabilities: true,
  levels: true,
  byLevel: true,
  implies: true,
  isNamed: true,
  alias: true,
  isIgnored: true,
  members: true,
};

/** A block of rights that a host has defined. */
export class RightsBlock implements RuleBlock {
  readonly isNamed: boolean;
  readonly isIgnored: boolean;
  readonly alias: string | undefined;
  readonly requirable: readonly string[];
  readonly #listed: readonly string[];
  readonly #levels: ReadonlyMap<string, readonly string[]>;
  readonly #implied: ReadonlyMap<string, readonly string[]>;
  readonly #members: ReadonlyMap<string, (value: unknown, place: string) => void>;

  /** @throws TypeError that names the block, and what of it is not as it should be */
  constructor(name: string, block: BlockRights) {
    const where = `defineRights: block ${JSON.stringify(name)}`;
    checkBlock(name, block, where);
    const { capabilities, byLevel = [], levels = {}, implies = {}, members = {} } = block;
    this.isNamed = name === 'namespace' || block.isNamed === true;
    this.isIgnored = block.isIgnored === true;
    this.alias = block.alias;
    this.#listed = capabilities.length === 0 || capabilities.includes(DENY) ? capabilities : [...capabilities, DENY];
    this.requirable = [...new Set([...capabilities, ...byLevel])].filter((capability) => capability !== DENY);
    this.#levels = new Map(Object.entries({ ...levels, [DENY]: [DENY] }));
    this.#implied = new Map(Object.entries(implies));
    this.#members = new Map(Object.entries(members));
  }

  ofLevel(level: unknown, place: string): readonly string[] {
    const granted = this.#levels.get(level as string);
    if (granted === undefined) throw unknownName(place, 'policy', level, [...this.#levels.keys()]);
    return granted.flatMap((capability) => this.#expand(capability));
  }

  ofCapability(capability: unknown, place: string): readonly string[] {
    if (this.#listed.length === 0) throw refused(place, 'has no capabilities, only a policy.');
    const listed = this.#listed.find((one) => one === capability);
    if (listed !== undefined) return this.#expand(listed);
    throw unknownName(place, 'capability', capability, this.#listed);
  }

  checkMember(name: string, value: unknown, place: string): void {
    const check = this.#members.get(name);
    if (check === undefined) throw unknownName(place, 'field', name, [...memberNames, ...this.#members.keys()]);
    check(value, place);
  }

  #expand(capability: string): readonly string[] {
    return [capability, ...(this.#implied.get(capability) ?? [])];
  }
}

/**
 * A block without rights: any capability, and no level but `deny`, which must be known everywhere or a rule that takes
 * away would take nothing.
 * @param isForm only the form is looked at: any level goes, and members that hold more than a text or a list of texts
 */
export function openBlock({ isNamed, isForm = false }: Pick<RuleBlock, 'isNamed'> & { isForm?: boolean }): RuleBlock {
  return {
    isNamed,
    isIgnored: false,
    alias: undefined,
    requirable: undefined,
    ofLevel(level, place) {
      if (level === DENY) return [DENY];
      if (isForm && typeof level === 'string') return [];
      throw refused(
        place,
        `has the policy ${describe(level)}, a level, and levels are known to rights alone: ` +
          'pass rights that have it, or list capabilities.',
      );
    },
    ofCapability(capability, place) {
      if (typeof capability === 'string' && capability !== '') return [capability];
      throw refused(place, `capabilities must be strings that are not empty; got ${describe(capability)}.`);
    },
    checkMember(name, value, place) {
      if (!isForm || isTextual(value)) throw unknownName(place, 'field', name, memberNames);
    },
  };
}

/** What a misspelt `policy` or `capabilities` would hold; blocks within a rule may be those of rights. */
function isTextual(value: unknown): boolean {
  return typeof value === 'string' || (Array.isArray(value) && value.every((one) => typeof one === 'string'));
}

function checkBlock(name: string, block: BlockRights, where: string): void {
  if (name === '' || name === '*') throw new TypeError(`${where} needs a name that is not empty or "*".`);
  checkOptions<BlockRights>(block, known, where);
  const { capabilities, byLevel = [], levels = {}, implies = {}, members = {} } = block;
  checkNames(capabilities, `${where}: capabilities`);
  checkNames(byLevel, `${where}: byLevel`);
  const all = [...capabilities, ...byLevel, DENY];
  for (const [level, granted] of Object.entries(levels)) checkKnown(granted, all, `${where}: level "${level}"`);
  for (const [capability, brought] of Object.entries(implies))
    checkKnown([capability, ...brought], all, `${where}: implies "${capability}"`);
  const { [DENY]: deny = [DENY] } = levels;
  if (deny.length !== 1 || deny[0] !== DENY) throw new TypeError(`${where}: level "deny" cannot mean anything else.`);
  for (const [member, check] of Object.entries(members))
    if (typeof check !== 'function')
      throw new TypeError(`${where}: members.${member} must be a function that checks it.`);
}

function checkNames(names: unknown, where: string): asserts names is readonly string[] {
  const isNames =
    Array.isArray(names) && names.every((name) => typeof name === 'string' && name !== '' && name !== '*');
  if (!isNames)
    throw new TypeError(`${where} must be a list of names that are not empty or "*"; got ${describe(names)}.`);
}

function checkKnown(names: unknown, all: readonly string[], where: string): void {
  checkNames(names, where);
  const stranger = names.find((name) => !all.includes(name));
  if (stranger === undefined) return;
  throw new TypeError(
    `${where} names ${JSON.stringify(stranger)}, which is none of: ${all.join(', ')}.${hintFor(stranger, all)}`,
  );
}

/** A name that rules may not have there, with what is allowed. */
export function unknownName(place: string, what: string, value: unknown, allowed: readonly string[]): BrokerError {
  const list = allowed.filter(Boolean).join(', ');
  return new BrokerError(
    'bad_request',
    `${place}: unknown ${what} ${describe(value)}; allowed: ${list}.${hintFor(value, allowed)}`,
  );
}

/** @param rule what is wrong, as the end of a sentence that begins with the place */
export function refused(place: string, rule: string): BrokerError {
  return new BrokerError('bad_request', `${place} ${rule}`);
}
