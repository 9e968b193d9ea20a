import type { BlockRights, RightsDefinition } from './rights-definition.ts';

export type OneOrMore<T> = T | readonly T[];
export type Labelled<Rule> = Readonly<Record<string, OneOrMore<Rule>>>;

/**
 * One rule: a level, single capabilities, or both. What they allow is added up, and `deny` wins over all of it.
 */
export interface PolicyRule<Level extends string = string, Capability extends string = string> {
  /** A level: a short name for several capabilities. `deny` is always one. */
  readonly policy?: Level | 'deny';
  /** `deny` can always be listed. */
  readonly capabilities?: readonly (Capability | 'deny')[];
}

/** A rule of rights that are not known here: it may have members of theirs. */
export type AnyPolicyRule = PolicyRule & { readonly [member: string]: unknown };

/** Rules in the words of any rights. */
export interface AnyPolicyRules {
  readonly namespace?: OneOrMore<Labelled<AnyPolicyRule>>;
  readonly [block: string]: OneOrMore<Labelled<AnyPolicyRule>> | OneOrMore<AnyPolicyRule> | undefined;
}

/** What one rule of a block may say. */
export type BlockRule<B extends BlockRights> = PolicyRule<
  B extends { readonly levels: infer L } ? keyof L & string : never,
  B['capabilities'][number]
> & { readonly [M in B extends { readonly members: infer Members } ? keyof Members : never]?: unknown };

/** The rules of a block: by name, where they have names. */
export type BlockRules<Name, B extends BlockRights> = Name extends 'namespace'
  ? OneOrMore<Labelled<BlockRule<B>>>
  : OneOrMore<B extends { readonly isNamed: true } ? Labelled<BlockRule<B>> : BlockRule<B>>;

/**
 * What one policy allows, in the words of some rights; of any, where they are not named.
 *
 * ```ts
 * { namespace: { acme: { policy: 'read' }, 'shop-*': { capabilities: ['read-orders'] } }, system: { policy: 'read' } }
 * ```
 *
 * A list stands where a block is repeated: several rules of one name add up. In a name, `*` stands for any characters.
 */
export type PolicyRules<D extends RightsDefinition = RightsDefinition> = string extends keyof D
  ? AnyPolicyRules
  : { readonly [B in keyof D]?: BlockRules<B, D[B]> } & {
      readonly [B in keyof D as D[B] extends { readonly alias: infer A extends string } ? A : never]?: BlockRules<
        B,
        D[B]
      >;
    };

/** Capabilities by the name of the rule; rules without a name stand under `''`. */
export type RulesByName = ReadonlyMap<string, ReadonlySet<string>>;

/** Rules with their levels expanded: block → name → capabilities. */
export type ParsedRules = ReadonlyMap<string, RulesByName>;

/** How a rule is named in messages: `namespace "default"`, `node`. */
export function placeOf(block: string, label: string): string {
  return label === '' ? block : `${block} ${JSON.stringify(label)}`;
}
