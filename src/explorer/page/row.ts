/// <reference lib="dom" />
import { create } from './element.ts';
import { type Entry, gapText } from './entry.ts';
import { TopicHues } from './topic-hues.ts';

const hues = new TopicHues(8);
const time = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hour12: false,
});

/**
 * The table row of an entry. Rows are reached with the arrow keys, so none of them is a stop of the Tab key by itself.
 */
export function rowOf(entry: Entry): HTMLTableRowElement {
  const row = document.createElement('tr');
  row.tabIndex = -1;
  row.append(create('td', 'time', timeText(entry.at)), ...cellsOf(entry));
  row.className = entry.kind === 'notice' ? entry.tone : entry.kind;
  if (entry.kind === 'event') row.setAttribute('aria-selected', 'false');
  return row;
}

function cellsOf(entry: Entry): readonly HTMLTableCellElement[] {
  switch (entry.kind) {
    case 'event': {
      const { index, topic, type, key, namespace } = entry.event;
      return [
        create('td', 'index', String(index)),
        create('td', `topic ${hues.classOf(topic)}`, topic),
        create('td', 'type', type),
        create('td', 'key', key),
        create('td', 'namespace', namespace),
      ];
    }
    case 'gap':
      return [create('td', 'index', String(entry.gap.from)), told(`Gap: ${gapText(entry.gap)}`)];
    case 'notice':
      return [create('td', 'index', ''), told(entry.text)];
  }
}

function told(text: string): HTMLTableCellElement {
  const cell = create('td', 'told', text);
  cell.colSpan = 4;
  return cell;
}

function timeText(at: Date): string {
  return `${time.format(at)}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}
