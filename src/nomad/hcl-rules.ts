import { onLinesOfTheirOwn } from './hcl-lines.ts';
import { BrokerError } from '../model/errors.ts';
import { loadOptionalPackage } from '../model/optional-package.ts';

/** What is used of the parser. */
interface HclParser {
  parse(filename: string, contents: string): Promise<unknown>;
}

const loadParser = (): Promise<HclParser> =>
  loadOptionalPackage<HclParser>({
    need: 'policy rules in HCL need',
    name: '@cdktn/hcl2json',
    otherwise: 'Rules as an object or as JSON need no package.',
  });

/** Whether the rules of a block have names, by the block's name. Other blocks are left to who reads the rules. */
export type BlockForms = ReadonlyMap<string, boolean>;

/**
 * Reads rules from HCL.
 * @throws (rejects) BrokerError `bad_request` for text that is not well-formed; `not_supported` without the package
 */
export async function readHcl(text: string, forms: BlockForms): Promise<object> {
  const parser = await loadParser();
  const rules = (await parseHcl(parser, text)) as object;
  requireBlocks(rules, forms);
  return rules;
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

/**
 * Refuses `node = { … }`: where an attribute and a block have one name, the parser keeps the attribute alone, and a
 * rule that denies would be lost. The parser gives blocks as lists, by name where they have one, and attributes as they
 * are.
 */
function requireBlocks(rules: object, forms: BlockForms): void {
  for (const [name, value] of Object.entries(rules) as [string, unknown][]) {
    const isNamed = forms.get(name);
    if (isNamed === false && !Array.isArray(value)) throw notABlock(name, `${name} { … }`);
    if (isNamed === true && !isNamedBlock(value)) throw notABlock(name, `${name} "<name>" { … }`);
  }
}

function isNamedBlock(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every(Array.isArray);
}

const notABlock = (name: string, form: string): BrokerError =>
  new BrokerError('bad_request', `${name}: must be written as a block: ${form}`);

/** The parser names each letter that it does not know: a hundred times as much as was given. */
const MAX_REASON_LENGTH = 500;

function reasonOf(cause: unknown): string {
  const reason = cause instanceof Error ? cause.message : 'unknown reason';
  return reason.length > MAX_REASON_LENGTH ? `${reason.slice(0, MAX_REASON_LENGTH)}…` : reason;
}
