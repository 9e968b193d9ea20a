import { Acl, MemoryAclStore } from '../../../src/index.ts';
import { onLinesOfTheirOwn } from '../../../src/nomad/hcl-lines.ts';
import { nomadRights } from '../../../src/nomad/index.ts';
import { requireDocumented, require, requireEqual, type FuzzTarget } from '../target.ts';

const words = [
  ...[
    'namespace',
    'node',
    'agent',
    'policy',
    'capabilities',
    'read',
    'write',
    'deny',
    'read-job',
    'variables',
    'path',
    'host_volume',
  ],
  ...[
    '"default"',
    '"prod-*"',
    'policy = "read"',
    '{',
    '}',
    '[',
    ']',
    '= ',
    '"',
    '# ',
    '<<EOF\n',
    '\nEOF\n',
    '${',
    '\n',
    '/*',
    '*/',
  ],
  ...['"policy":"deny"', '"capabilities":["list-jobs"]', ',', ':', 'plugin', 'operator', 'quota'],
];

const codes = ['bad_request', 'not_supported'] as const;

/** Both ways in: strict, as a host writes a policy, and lenient, as one is read from a store. */
async function readBoth(text: string): Promise<void> {
  const store = new MemoryAclStore({ rights: nomadRights });
  try {
    await store.upsertPolicy({ name: 'p', rules: text });
  } catch (error) {
    requireDocumented(error, codes);
    return;
  }
  const kept = await store.policyByName('p');
  require(kept !== undefined, 'A policy that was taken is there.');
  // Where the strict reading takes it, the lenient one says the same, and nothing is to be ignored.
  const { rules, ignored } = await nomadRights.readStoredText(text);
  require(ignored === undefined, `What was taken is ignored when it is read: ${ignored?.message}`);
  const strict = nomadRights.parse(await nomadRights.fromText(text));
  requireEqual(plain(rules), plain(strict), 'What a stored policy grants');
}

const plain = (rules: ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>) =>
  [...rules].map(([block, byName]) => [block, [...byName].map(([name, granted]) => [name, [...granted]])]);

async function readLenient(text: string): Promise<void> {
  try {
    await nomadRights.readStoredText(text);
  } catch (error) {
    requireDocumented(error, codes);
  }
}

export const rulesJson: FuzzTarget = {
  name: 'rules-json',
  words,
  tries: 1500,
  async run(input) {
    const text = `{${input.toString()}`;
    await readLenient(text);
    await readBoth(text);
    let rules: object;
    try {
      rules = JSON.parse(text) as object;
    } catch {
      return;
    }
    try {
      Acl.fromRules([rules as never], { rights: nomadRights, accessorId: 'a' });
    } catch (error) {
      requireDocumented(error, codes);
    }
  },
};

/** With the parser of a package of others, which takes most of the time. */
export const rulesHcl: FuzzTarget = {
  name: 'rules-hcl',
  words,
  tries: 40,
  async run(input) {
    const text = input.toString();
    await readLenient(text);
    await readBoth(text);
  },
};

/** What of HCL is ours. */
export const hclLines: FuzzTarget = {
  name: 'hcl-lines',
  words,
  tries: 2000,
  run(input) {
    const text = input.toString();
    const cut = onLinesOfTheirOwn(text);
    require(cut.length <= 3 * text.length, 'Lines are made out of nothing.');
    requireEqual(cut.replaceAll('\n', ''), text.replaceAll('\n', ''), 'All but the line breaks');
  },
};
