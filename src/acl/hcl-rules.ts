import { onLinesOfTheirOwn } from './hcl-lines.ts';
import { BrokerError } from '../model/errors.ts';
import type { BlockKind } from './capabilities.ts';
import { blockAliases, blockKinds } from './capabilities.ts';
import type { PolicyRules } from './policy-rules.ts';
import { freezeRules, freezeStoredRules } from './policy-rules.ts';

/** What is used of the parser. */
interface HclParser {
  parse(filename: string, contents: string): Promise<unknown>;
}

const loadParser = (): Promise<HclParser> => import('@cdktn/hcl2json');

/**
 * Reads rules from text: JSON when it begins with `{`, else HCL, which takes a promise. Text without content has no
 * rules.
 *
 * Of two members with one name in one JSON object, the last counts, as everywhere in JavaScript.
 *
 * HCL is read by the optional package `@cdktn/hcl2json`, loaded at the first use: it compiles a WebAssembly
 * module of some megabytes and defines a few global names (`Go`, `fs`, `path`, `require`). Its HCL is version 2: a
 * block inside another stands on lines of its own.
 *
 * @throws BrokerError `bad_request` for text that is not well-formed, or that holds what {@link freezeRules} refuses;
 *   `not_supported` for HCL while the package is not installed
 */
export function rulesFromText(text: string, load = loadParser): PolicyRules | Promise<PolicyRules> {
  return readText(text, freezeRules, load);
}

/**
 * As {@link rulesFromText}, for what a store holds: what is not known is ignored, as {@link freezeStoredRules} does.
 */
export function storedRulesFromText(text: string, load = loadParser): PolicyRules | Promise<PolicyRules> {
  return readText(text, freezeStoredRules, load);
}

type Freeze = (rules: PolicyRules) => PolicyRules;

function readText(text: string, freeze: Freeze, load: () => Promise<HclParser>): PolicyRules | Promise<PolicyRules> {
  const start = text.trimStart();
  if (start === '') return freeze({});
  return start.startsWith('{') ? freeze(parseJson(text)) : rulesFromHcl(text, freeze, load);
}

function parseJson(text: string): PolicyRules {
  try {
    return JSON.parse(text) as PolicyRules;
  } catch (cause) {
    throw new BrokerError('bad_request', `policy rules are not well-formed JSON: ${reasonOf(cause)}`, { cause });
  }
}

async function rulesFromHcl(text: string, freeze: Freeze, load: () => Promise<HclParser>): Promise<PolicyRules> {
  const parser = await loadOrExplain(load);
  const rules = (await parseHcl(parser, text)) as PolicyRules;
  requireBlocks(rules);
  return freeze(rules);
}

/** As it stands first, so that an error names the line that it is on. */
async function parseHcl(parser: HclParser, text: string): Promise<unknown> {
  try {
    return await parser.parse('rules', text);
  } catch (cause) {
    return parser.parse('rules', onLinesOfTheirOwn(text)).catch(() => {
      throw new BrokerError('bad_request', `policy rules are not well-formed HCL: ${reasonOf(cause)}`, { cause });
    });
  }
}

async function loadOrExplain(load: () => Promise<HclParser>): Promise<HclParser> {
  try {
    return await load();
  } catch (cause) {
    const message =
      'policy rules in HCL need the package @cdktn/hcl2json, which could not be loaded: npm install @cdktn/hcl2json. ' +
      'Rules as an object or as JSON need no package.';
    throw new BrokerError('not_supported', message, { cause });
  }
}

/**
 * Refuses `node = { … }`: where an attribute and a block have one name, the parser keeps the attribute alone, and a
 * rule that denies would be lost. The parser gives blocks as lists, by name where they have one, and attributes as they
 * are.
 */
function requireBlocks(rules: object): void {
  for (const [name, value] of Object.entries(rules) as [string, unknown][]) {
    const kind = blockKinds.get(blockAliases.get(name) ?? name);
    if (kind !== undefined && !isBlock(kind, value)) throw notABlock(name, kind);
  }
}

function isBlock({ isLabelled }: BlockKind, value: unknown): boolean {
  if (!isLabelled) return Array.isArray(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every(Array.isArray);
}

function notABlock(name: string, { isLabelled }: BlockKind): BrokerError {
  const form = isLabelled ? `${name} "<name>" { … }` : `${name} { … }`;
  return new BrokerError('bad_request', `${name}: must be written as a block: ${form}`);
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : 'unknown reason';
}
