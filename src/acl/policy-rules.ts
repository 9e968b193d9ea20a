import { BrokerError } from '../model/errors.ts';
import { describe } from '../model/describe.ts';
import { nearestOf } from '../model/options.ts';
import { blockAliases, blockKinds, expandCapability, variableCapabilities } from './capabilities.ts';
import type { BlockKind } from './capabilities.ts';

/** A rule that has only a level. */
export interface LevelRule {
  /** `read`, `write` or `deny`; `plugin` also knows `list`. */
  readonly policy?: string;
}

/** A rule with a level, single capabilities, or both: what they allow is added up, and `deny` wins over all of it. */
export interface CapabilityRule extends LevelRule {
  readonly capabilities?: readonly string[];
}

/** A rule for the namespaces that its name matches. Its levels are `read`, `write`, `scale` and `deny`. */
export interface NamespaceRule extends CapabilityRule {
  /** Rights on variables, by path: checked and otherwise ignored. */
  readonly variables?: OneOrMore<{
    readonly path?: OneOrMore<Labelled<{ readonly capabilities?: readonly string[] }>>;
  }>;
}

export type OneOrMore<T> = T | readonly T[];
export type Labelled<Rule> = Readonly<Record<string, OneOrMore<Rule>>>;

/**
 * What one policy allows.
 *
 * ```ts
 * { namespace: { default: { policy: 'read' }, 'prod-*': { capabilities: ['read-job'] } }, node: { policy: 'read' } }
 * ```
 *
 * A list stands where a block is repeated: several rules of one name add up. In a name, `*` stands for any characters.
 * Blocks that no topic can require (`agent`, `quota`, `plugin`, `host_volume`, `variables`) are checked and ignored.
 */
export interface PolicyRules {
  readonly namespace?: OneOrMore<Labelled<NamespaceRule>>;
  readonly node?: OneOrMore<LevelRule>;
  readonly operator?: OneOrMore<CapabilityRule>;
  readonly node_pool?: OneOrMore<Labelled<CapabilityRule>>;
  /** The same as `node_pool`. */
  readonly nodePool?: OneOrMore<Labelled<CapabilityRule>>;
  readonly agent?: OneOrMore<LevelRule>;
  readonly quota?: OneOrMore<LevelRule>;
  readonly plugin?: OneOrMore<LevelRule>;
  readonly host_volume?: OneOrMore<Labelled<CapabilityRule>>;
  /** The same as `host_volume`. */
  readonly hostVolume?: OneOrMore<Labelled<CapabilityRule>>;
}

/** Capabilities by the name of the rule; rules without a name stand under `''`. */
export type RulesByName = ReadonlyMap<string, ReadonlySet<string>>;

/** Rules with their levels expanded: block → name → capabilities. */
export type ParsedRules = ReadonlyMap<string, RulesByName>;

/** Rules that this module has copied, checked and frozen need no second reading. */
const parsed = new WeakMap<object, ParsedRules>();

/**
 * Checks rules and copies them: the copy is deeply frozen.
 * @throws BrokerError `bad_request` that names an unknown block, level or capability and its place
 */
export function freezeRules(rules: PolicyRules): PolicyRules {
  return freezeAs(rules, true);
}

/**
 * As {@link freezeRules}, for what a store holds: blocks, members, levels and capabilities that are not known are
 * ignored, as Nomad does where it uses a policy that a newer version has written.
 * @throws BrokerError `bad_request` for what is no set of rules at all
 */
export function freezeStoredRules(rules: PolicyRules): PolicyRules {
  return freezeAs(rules, false);
}

function freezeAs(rules: PolicyRules, isStrict: boolean): PolicyRules {
  if (typeof rules === 'object' && rules !== null && parsed.has(rules)) return rules;
  const copy = copyOf(rules);
  const meaning = new RulesReader(isStrict).read(copy);
  deepFreeze(copy);
  parsed.set(copy, meaning);
  return copy;
}

/** What checked rules mean. */
export function parseRules(rules: PolicyRules): ParsedRules {
  return parsed.get(rules) ?? new RulesReader(true).read(copyOf(rules));
}

function copyOf(rules: PolicyRules): PolicyRules {
  requireObject(rules, 'policy rules');
  try {
    return structuredClone(rules);
  } catch (cause) {
    throw new BrokerError('bad_request', 'policy rules may hold only objects, lists and strings.', { cause });
  }
}

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  for (const part of Object.values(value)) deepFreeze(part);
  Object.freeze(value);
}

class RulesReader {
  /** What is not known is refused; else it is ignored. */
  readonly #isStrict: boolean;
  readonly #blocks = new Map<string, Map<string, Set<string>>>();

  constructor(isStrict: boolean) {
    this.#isStrict = isStrict;
  }

  read(rules: object): ParsedRules {
    for (const [name, value] of Object.entries(rules)) {
      if (value !== undefined) this.#readBlock(name, value);
    }
    return this.#blocks;
  }

  #readBlock(name: string, value: unknown): void {
    const block = blockAliases.get(name) ?? name;
    const kind = blockKinds.get(block);
    if (kind === undefined) return this.#refuse(unknown('policy rules', 'block', name, [...blockKinds.keys()]));
    for (const part of listOf(value)) {
      if (kind.isLabelled) this.#readLabelled(block, kind, part);
      else this.#readRule(block, '', kind, part);
    }
  }

  #readLabelled(block: string, kind: BlockKind, labelled: unknown): void {
    requireObject(labelled, `${block}: its rules, by name,`);
    for (const [label, rules] of Object.entries(labelled)) {
      if (label === '') throw refused(`${block} ""`, 'needs a name that is not empty.');
      for (const rule of listOf(rules)) this.#readRule(block, label, kind, rule);
    }
  }

  #readRule(block: string, label: string, kind: BlockKind, rule: unknown): void {
    const place = placeOf(block, label);
    requireObject(rule, place);
    const { policy, capabilities, variables, ...others } = rule as Record<string, unknown>;
    const granted = this.#granted(block, label);
    this.#guarded(() => refuseOthers(others, kind, variables, place));
    for (const capability of this.#listOf(() => levelCapabilities(policy, kind, place))) granted.add(capability);
    for (const one of capabilities === undefined ? [] : listOfCapabilities(capabilities, place))
      for (const capability of this.#listOf(() => listedCapability(one, kind.capabilities, place)))
        granted.add(capability);
    if (variables !== undefined) this.#guarded(() => checkVariables(variables, place));
  }

  #refuse(error: BrokerError): void {
    if (this.#isStrict) throw error;
  }

  #guarded(check: () => void): void {
    if (this.#isStrict) check();
  }

  #listOf(read: () => readonly string[]): readonly string[] {
    try {
      return read();
    } catch (error) {
      if (this.#isStrict) throw error;
      return [];
    }
  }

  #granted(block: string, label: string): Set<string> {
    const rules = this.#blocks.get(block) ?? new Map<string, Set<string>>();
    this.#blocks.set(block, rules);
    const granted = rules.get(label) ?? new Set<string>();
    rules.set(label, granted);
    return granted;
  }
}

/** How a rule is named in messages: `namespace "default"`, `node`. */
export function placeOf(block: string, label: string): string {
  return label === '' ? block : `${block} ${JSON.stringify(label)}`;
}

function levelCapabilities(level: unknown, kind: BlockKind, place: string): readonly string[] {
  if (level === undefined) return [];
  const allowed = Object.keys(kind.levels);
  if (typeof level !== 'string' || !allowed.includes(level)) throw unknown(place, 'policy', level, allowed);
  return (kind.levels[level] ?? []).flatMap(expandCapability);
}

function listOfCapabilities(list: unknown, place: string): readonly unknown[] {
  if (Array.isArray(list)) return list;
  throw refused(place, `capabilities must be a list of strings; got ${describe(list)}.`);
}

function listedCapability(capability: unknown, allowed: readonly string[], place: string): readonly string[] {
  if (allowed.length === 0) throw refused(place, 'has no capabilities, only a policy.');
  if (typeof capability === 'string' && allowed.includes(capability)) return expandCapability(capability);
  throw unknown(place, 'capability', capability, allowed);
}

function refuseOthers(others: object, kind: BlockKind, variables: unknown, place: string): void {
  const fields = ['policy', 'capabilities', ...(kind.hasVariables ? ['variables'] : [])];
  const [other] = Object.keys(others);
  if (other !== undefined) throw unknown(place, 'field', other, fields);
  if (variables !== undefined && !kind.hasVariables) throw unknown(place, 'field', 'variables', fields);
}

function checkVariables(variables: unknown, place: string): void {
  for (const block of listOf(variables)) {
    requireObject(block, `${place}: variables`);
    const { path, ...others } = block as Record<string, unknown>;
    const [other] = Object.keys(others);
    if (other !== undefined) throw unknown(`${place}: variables`, 'block', other, ['path']);
    for (const paths of listOf(path ?? [])) checkPaths(paths, place);
  }
}

function checkPaths(paths: unknown, place: string): void {
  requireObject(paths, `${place}: variables: its paths`);
  for (const [path, rules] of Object.entries(paths)) {
    const at = `${place}: variables path ${JSON.stringify(path)}`;
    for (const rule of listOf(rules)) checkPath(rule, at);
  }
}

function checkPath(rule: unknown, at: string): void {
  requireObject(rule, at);
  const { capabilities, ...others } = rule as Record<string, unknown>;
  const [other] = Object.keys(others);
  if (other !== undefined) throw unknown(at, 'field', other, ['capabilities']);
  for (const one of capabilities === undefined ? [] : listOfCapabilities(capabilities, at))
    listedCapability(one, variableCapabilities, at);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}

function requireObject(value: unknown, place: string): asserts value is object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  throw refused(place, `must be an object; got ${describe(value)}.`);
}

function unknown(place: string, what: string, value: unknown, allowed: readonly string[]): BrokerError {
  const near = typeof value === 'string' ? nearestOf(value, allowed) : undefined;
  const hint = near === undefined ? '' : ` Did you mean ${describe(near)}?`;
  return refused(place, `unknown ${what} ${describe(value)}; allowed: ${allowed.filter(Boolean).join(', ')}.${hint}`);
}

function refused(place: string, rule: string): BrokerError {
  const join = rule.startsWith('unknown') ? ': ' : ' ';
  return new BrokerError('bad_request', `${place}${join}${rule}`);
}
