import { BrokerError } from '../model/errors.ts';
import { describe } from '../model/describe.ts';

/** What a path of a `variables` block can list. */
const capabilities: readonly unknown[] = ['list', 'read', 'write', 'destroy', 'deny'];

/**
 * Checks the rights on variables that a namespace's rule may hold. No event is about them.
 * @throws BrokerError `bad_request` that names the place and what is allowed
 */
export function checkVariables(variables: unknown, place: string): void {
  for (const block of listOf(variables)) {
    const at = `${place}: variables`;
    for (const [name, paths] of membersOf(block, at)) {
      if (name !== 'path') throw refused(at, `unknown block ${describe(name)}; allowed: path.`);
      for (const part of listOf(paths)) checkPaths(part, at);
    }
  }
}

function checkPaths(paths: unknown, at: string): void {
  for (const [path, rules] of membersOf(paths, `${at}: its paths`))
    for (const rule of listOf(rules)) checkPath(rule, `${at} path ${JSON.stringify(path)}`);
}

function checkPath(rule: unknown, at: string): void {
  for (const [name, list] of membersOf(rule, at)) {
    if (name !== 'capabilities') throw refused(at, `unknown field ${describe(name)}; allowed: capabilities.`);
    if (!Array.isArray(list)) throw refused(at, `capabilities must be a list of strings; got ${describe(list)}.`);
    const stranger = list.find((one) => !capabilities.includes(one)) as unknown;
    if (stranger !== undefined)
      throw refused(at, `unknown capability ${describe(stranger)}; allowed: ${capabilities.join(', ')}.`);
  }
}

function membersOf(value: unknown, at: string): readonly (readonly [string, unknown])[] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return Object.entries(value).filter(([, member]) => member !== undefined);
  throw refused(at, `must be an object; got ${describe(value)}.`);
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

const refused = (place: string, rule: string): BrokerError => new BrokerError('bad_request', `${place}: ${rule}`);
