import { refused, unknownName } from '../acl/rights-block.ts';
import { listOf, requireObject } from '../acl/rules-reader.ts';
import { describe } from '../model/describe.ts';

/** What a path of a `variables` block can list. */
const capabilities = ['list', 'read', 'write', 'destroy', 'deny'];

/**
 * Checks the rights on variables that a namespace's rule may hold. No event is about them.
 * @throws BrokerError `bad_request` that names the place and what is allowed
 */
export function checkVariables(variables: unknown, place: string): void {
  for (const block of listOf(variables)) {
    const at = `${place}: variables`;
    for (const [name, paths] of membersOf(block, at)) {
      if (name !== 'path') throw unknownName(at, 'block', name, ['path']);
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
    if (name !== 'capabilities') throw unknownName(at, 'field', name, ['capabilities']);
    if (!Array.isArray(list)) throw refused(at, `capabilities must be a list of strings; got ${describe(list)}.`);
    const stranger = (list as readonly unknown[]).find((one) => !capabilities.includes(one as string));
    if (stranger !== undefined) throw unknownName(at, 'capability', stranger, capabilities);
  }
}

function membersOf(value: unknown, at: string): readonly (readonly [string, unknown])[] {
  requireObject(value, at);
  return Object.entries(value).filter(([, member]) => member !== undefined);
}
