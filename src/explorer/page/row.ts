/// <reference lib="dom" />
import { create } from './element.ts';
import { type Entry, gapText } from './entry.ts';
import type { FilterField } from './filters.ts';
import { topicMark } from './topic-mark.ts';

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
  row.append(create('td', 'time', entry.at ? timeText(entry.at) : ''), ...cellsOf(entry));
  // A narrow screen shows rows and cells as no table, and they would lose these.
  row.setAttribute('role', 'row');
  for (const cell of row.cells) cell.setAttribute('role', 'gridcell');
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
        filterCell('topic', topic, topicMark(topic)),
        filterCell('type', type),
        filterCell('key', key),
        filterCell('namespace', namespace),
      ];
    }
    case 'gap':
      return [create('td', 'index', String(entry.gap.from)), told(`Gap: ${gapText(entry.gap)}`)];
    case 'notice':
      return [create('td', 'index', ''), told(entry.text)];
  }
}

/** What can be filtered by is a button; the arrow keys lead to it. */
function filterCell(field: FilterField, text: string, className = ''): HTMLTableCellElement {
  const cell = create('td', `${field} ${className}`.trim(), '');
  if (text === '') return cell;
  const button = filterButton(field, text);
  button.tabIndex = -1;
  cell.append(button);
  return cell;
}

/** Shows only what has the same, when it is pressed: whoever holds it listens. */
export function filterButton(field: FilterField, text: string): HTMLButtonElement {
  const button = create('button', 'only', text);
  button.type = 'button';
  button.dataset['field'] = field;
  button.title = `Show only this ${field}`;
  return button;
}

/** The field whose button was pressed; undefined for what is none. */
export function pressedField(target: EventTarget | null): FilterField | undefined {
  const button = target instanceof Element ? target.closest<HTMLElement>('button.only') : null;
  return button?.dataset['field'] as FilterField | undefined;
}

function told(text: string): HTMLTableCellElement {
  const cell = create('td', 'told', text);
  cell.colSpan = 4;
  return cell;
}

function timeText(at: Date): string {
  return `${time.format(at)}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}
