import { BrokerError } from '../model/errors.ts';
import { describe } from '../model/describe.ts';
import { placeOf, type ParsedRules } from './policy-rules.ts';
import { refused, unknownName, type RuleBlock } from './rights-block.ts';

/** The words in which rules are read. */
export interface Vocabulary {
  readonly blockNames: readonly string[];
  nameOf(block: string): string;
  block(name: string): RuleBlock | undefined;
}

/** Reads one set of rules: checks its form, and finds what each word of it grants. */
export class RulesReader {
  readonly #words: Vocabulary;
  /** What is not known is refused; else it is ignored. */
  readonly #isStrict: boolean;
  readonly #blocks = new Map<string, Map<string, Set<string>>>();
  /** The first thing that was ignored. */
  ignored: BrokerError | undefined;

  constructor(words: Vocabulary, isStrict: boolean) {
    this.#words = words;
    this.#isStrict = isStrict;
  }

  read(rules: object): ParsedRules {
    for (const [name, value] of Object.entries(rules)) if (value !== undefined) this.#readBlock(name, value);
    return this.#blocks;
  }

  #readBlock(name: string, value: unknown): void {
    const block = this.#words.block(name);
    const own = this.#words.nameOf(name);
    if (block === undefined) return this.#refuse(unknownName('policy rules', 'block', name, this.#words.blockNames));
    for (const part of listOf(value)) {
      if (block.isNamed ?? isByName(part)) this.#readNamed(own, block, part);
      else this.#readRule(own, '', block, part);
    }
  }

  #readNamed(name: string, block: RuleBlock, byLabel: unknown): void {
    requireObject(byLabel, `${name}: its rules, by name,`);
    for (const [label, rules] of Object.entries(byLabel)) {
      if (label === '') throw refused(`${name} ""`, 'needs a name that is not empty.');
      for (const rule of listOf(rules)) this.#readRule(name, label, block, rule);
    }
  }

  #readRule(name: string, label: string, block: RuleBlock, rule: unknown): void {
    const place = placeOf(name, label);
    requireObject(rule, place);
    const { policy, capabilities, ...others } = rule as Record<string, unknown>;
    const granted = this.#granted(name, label);
    const grant = (read: () => readonly string[]): void => this.#known(() => read().forEach((one) => granted.add(one)));
    for (const [member, value] of Object.entries(others))
      if (value !== undefined) this.#known(() => block.checkMember(member, value, place));
    if (policy !== undefined) grant(() => block.ofLevel(policy, place));
    for (const one of capabilitiesOf(capabilities, place)) grant(() => block.ofCapability(one, place));
  }

  #refuse(error: BrokerError): void {
    if (this.#isStrict) throw error;
    this.ignored ??= new BrokerError('bad_request', `${error.message} It is ignored.`);
  }

  #known(use: () => void): void {
    try {
      use();
    } catch (error) {
      this.#refuse(BrokerError.from(error));
    }
  }

  #granted(name: string, label: string): Set<string> {
    const rules = this.#blocks.get(name) ?? new Map<string, Set<string>>();
    this.#blocks.set(name, rules);
    const granted = rules.get(label) ?? new Set<string>();
    rules.set(label, granted);
    return granted;
  }
}

/** Where nobody can tell by the block: a rule has members of its own, and rules by name are objects all. */
function isByName(part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return false;
  return Object.values(part).every((rule) => listOf(rule).every((one) => typeof one === 'object' && one !== null));
}

function capabilitiesOf(list: unknown, place: string): readonly unknown[] {
  if (list === undefined) return [];
  if (Array.isArray(list)) return list;
  throw refused(place, `capabilities must be a list of strings; got ${describe(list)}.`);
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

export function requireObject(value: unknown, place: string): asserts value is object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  throw refused(place, `must be an object; got ${describe(value)}.`);
}
