import type { TopicRequirement } from '../model/topic-definition.ts';
import type { AppliedRule, MergedRules } from './merged-rules.ts';
import { placeOf } from './policy-rules.ts';
import type { Rights } from './rights.ts';

/** One capability of one block of rules. */
export interface Right {
  readonly block: string;
  readonly capability: string;
}

/** Whether a need is met, and what decided. */
export interface Verdict {
  readonly isMet: boolean;
  /** One sentence for an operator. */
  readonly reason: string;
  /** The capability that was asked for, and the rule that decided about it, where it came to that. */
  readonly decided?: { readonly right: Right; readonly rule: AppliedRule } | undefined;
}

/** Somebody's rights, as far as they decide. */
export interface Judged {
  readonly isManagement: boolean;
  readonly rules: MergedRules;
  readonly rights: Rights;
}

/** The capability that a requirement stands for; undefined for `anyone` and `management`, which are none. */
export function rightFor(requirement: TopicRequirement, rights: Rights): Right | undefined {
  const [named] = typeof requirement === 'string' ? [] : Object.entries(requirement);
  return named && { block: rights.nameOf(named[0]), capability: named[1] };
}

/** Says why `isMet` is as it is. */
export function verdictOf(
  { isManagement, rules, rights }: Judged,
  requirement: TopicRequirement,
  namespace: string,
  isMet: boolean,
): Verdict {
  if (isManagement) return { isMet, reason: 'A management token may see everything.' };
  if (requirement === 'anyone') return { isMet, reason: 'Anyone may see this topic.' };
  const right = rightFor(requirement, rights);
  if (right === undefined) return { isMet, reason: 'It takes a management token.' };
  const isNamed = rights.block(right.block)?.isNamed === true;
  const subject = right.block === 'namespace' ? namespace : isNamed ? '*' : '';
  const rule = rules.ruleFor(right.block, subject);
  if (rule === undefined) return { isMet, reason: `No rule applies to ${placeOf(right.block, subject)}.` };
  const isForAll = isNamed && right.block !== 'namespace';
  return { isMet, reason: reasonOf(right, rule, isMet, isForAll), decided: { right, rule } };
}

function reasonOf({ block, capability }: Right, rule: AppliedRule, isMet: boolean, isForAll: boolean): string {
  const place = placeOf(block, rule.name);
  if (isMet) return `The rule ${place} grants ${capability}.`;
  if (rule.capabilities.has('deny')) return `The rule ${place} denies.`;
  if (isForAll) return `The rule ${place} and all others of ${block} must grant ${capability}.`;
  return `The rule ${place} applies and does not grant ${capability}.`;
}
