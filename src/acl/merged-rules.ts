import { Glob } from './glob.ts';
import type { ParsedRules } from './policy-rules.ts';
import type { RuleBlock } from './rights-block.ts';

/** The rule that decides about something, and what it grants. */
export interface AppliedRule {
  /** Name of the rule, with its `*`; `''` for a rule of a block without names. */
  readonly name: string;
  readonly capabilities: ReadonlySet<string>;
}

interface GlobRule extends AppliedRule {
  readonly glob: Glob;
  /** The higher comes first: more literal characters, and of as many one that denies. */
  readonly rank: number;
}

interface BlockRules {
  readonly exact: ReadonlyMap<string, AppliedRule>;
  /** Closest first: with the most literal characters; of equals one that denies, then by name. */
  readonly globs: readonly GlobRule[];
}

/** What tells which blocks count: those that rights say to ignore change nothing here. */
export interface BlockLookUp {
  block(name: string): RuleBlock | undefined;
}

/** The rules of several policies, as one: rules of one name add up, and one that denies wins for that name. */
export class MergedRules {
  /** The rules in one canonical text: equal texts grant the same. */
  readonly text: string;
  readonly #blocks: ReadonlyMap<string, BlockRules>;

  constructor(policies: readonly ParsedRules[], words: BlockLookUp) {
    const names = [...new Set(policies.flatMap((policy) => [...policy.keys()]))].toSorted();
    const counting = names.filter((name) => words.block(name)?.isIgnored === false);
    const merged = counting.map((block) => [block, mergeBlock(block, policies)] as const);
    this.text = JSON.stringify(
      merged.map(([block, rules]) => [block, rules.map((rule) => [rule.name, [...rule.capabilities]])]),
    );
    this.#blocks = new Map(merged.map(([block, rules]) => [block, arrange(rules)]));
  }

  /** The one rule that counts for `name`: that of exactly this name, else the closest glob. */
  ruleFor(block: string, name: string): AppliedRule | undefined {
    const rules = this.#blocks.get(block);
    return rules?.exact.get(name) ?? rules?.globs.find(({ glob }) => glob.matches(name));
  }

  grants(block: string, name: string, capability: string): boolean {
    const rule = this.ruleFor(block, name);
    return rule !== undefined && ruleGrants(rule, capability);
  }

  /** Whether at least one rule grants it. */
  grantsSomewhere(block: string, capability: string): boolean {
    return this.#all(block).some((rule) => ruleGrants(rule, capability));
  }

  /** Whether the rule for `*` and every closer one grant it: nothing is left out. */
  grantsEverywhere(block: string, capability: string): boolean {
    return this.grants(block, '*', capability) && this.#all(block).every((rule) => ruleGrants(rule, capability));
  }

  /** The names whose own rules grant it; undefined when a rule with `*` in its name does. */
  namesGranting(block: string, capability: string): readonly string[] | undefined {
    const granting = this.#all(block).filter((rule) => ruleGrants(rule, capability));
    return granting.some(({ name }) => Glob.isGlob(name)) ? undefined : granting.map(({ name }) => name);
  }

  #all(block: string): readonly AppliedRule[] {
    return [...(this.#blocks.get(block)?.exact.values() ?? [])];
  }
}

/** `deny` takes away whatever else the rule lists, and is itself nothing that can be granted. */
export function ruleGrants(rule: AppliedRule, capability: string): boolean {
  return rule.capabilities.has(capability) && !rule.capabilities.has('deny');
}

function mergeBlock(block: string, policies: readonly ParsedRules[]): readonly AppliedRule[] {
  const merged = new Map<string, Set<string>>();
  for (const policy of policies) {
    for (const [name, capabilities] of policy.get(block) ?? []) {
      const granted = merged.get(name) ?? new Set();
      merged.set(name, granted);
      for (const capability of capabilities) granted.add(capability);
    }
  }
  return [...merged]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, granted]) => ({ name, capabilities: canonical(granted) }));
}

function canonical(granted: ReadonlySet<string>): ReadonlySet<string> {
  return new Set(granted.has('deny') ? ['deny'] : [...granted].toSorted());
}

function arrange(rules: readonly AppliedRule[]): BlockRules {
  const globs = rules.filter(({ name }) => Glob.isGlob(name)).map(globRule);
  // Sorting keeps the order by name among equal ones.
  return {
    exact: new Map(rules.map((rule) => [rule.name, rule])),
    globs: globs.toSorted((a, b) => b.rank - a.rank),
  };
}

function globRule(rule: AppliedRule): GlobRule {
  const glob = new Glob(rule.name);
  return { ...rule, glob, rank: 2 * glob.literalLength + Number(rule.capabilities.has('deny')) };
}
