import type { TopicRequirement } from '../../src/model/topics.ts';
import type { NomadTopic } from '../../src/nomad/index.ts';
import { nomadTopicTable } from '../../src/nomad/index.ts';

const columns = ['topic', 'event types', '`Key`', '`FilterKeys`', 'namespaced', 'payload', 'needs'] as const;
const none = '–';

/**
 * The table of Nomad's topics in docs/from-nomad.md, made from the data that the library runs on; no line break at its
 * end.
 */
export function topicTable(): string {
  const rows = Object.entries<NomadTopic>(nomadTopicTable).map(([name, topic]) => cells(name, topic));
  return table([[...columns], ...rows, everyTopic()]);
}

function cells(name: string, topic: NomadTopic): string[] {
  return [
    topic.aliasOf === undefined ? code(name) : `${code(name)} (an alias: ${aliasOf(topic)})`,
    list(topic.types),
    topic.key ?? none,
    topic.filterKeys.join(', ') || none,
    topic.isNamespaced ? 'yes' : 'no',
    payload(topic),
    [requirement(topic.requires), ...(topic.note === undefined ? [] : [`(${topic.note})`])].join(' '),
  ];
}

function aliasOf({ aliasOf: topic = '', types }: NomadTopic): string {
  return `${code(topic)} events of ${types.length === 1 ? 'this type' : 'these types'}`;
}

function everyTopic(): string[] {
  return [code('*'), 'all', '', '', '', '', requirement('management')];
}

function payload({ member, emptied, alsoInPayload }: NomadTopic): string {
  if (member === undefined) return none;
  const object = emptied === undefined ? code(member) : `${code(member)}, its ${list(emptied)} emptied`;
  return alsoInPayload === undefined ? object : `${object}, and ${alsoInPayload}`;
}

function requirement(requires: TopicRequirement): string {
  if (typeof requires === 'string') return requires;
  return Object.entries(requires)
    .map(([block, capability]) => `${block}: ${code(capability)}`)
    .join(', ');
}

function list(names: readonly string[]): string {
  return names.map(code).join(', ') || none;
}

function code(text: string): string {
  return `\`${text}\``;
}

/** Padded as the formatter would pad it, so that formatting the document changes nothing. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = columns.map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), rule, ...body.map(line)].join('\n');
}
