// Markdown tables of rows `{ case, contender, measures: { name: values by round } }`.
import { median, ratios, short, spread } from './statistics.mjs';

/** A line for each contender, a column for each case; ratios to the reference of the same case and round. */
export function matrix(rows, { measure, reference }) {
  const cases = distinct(rows.map((row) => row.case));
  const cell = (contender, name) => {
    if (contender === reference) return `1 (${short(median(find(rows, name, contender)?.measures[measure] ?? []))}/s)`;
    return ratioCell(rows, find(rows, name, contender), measure, reference);
  };
  const lines = distinct(rows.map((row) => row.contender)).map((contender) => {
    return [contender, ...cases.map((name) => cell(contender, name))];
  });
  return table(['', ...cases], lines);
}

/** A line for each row, a column for each of `{ title, measure, reference?, unit? }`. */
export function list(rows, columns) {
  const hasCases = distinct(rows.map((row) => row.case)).length > 1;
  const lines = rows.map((row) => [
    hasCases ? `${row.case}: ${row.contender}` : row.contender,
    ...columns.map((column) => valueCell(rows, row, column)),
  ]);
  return table(['', ...columns.map(({ title }) => title)], lines);
}

function valueCell(rows, row, { measure, reference, unit = '' }) {
  if (reference !== undefined) return ratioCell(rows, row, measure, reference);
  const values = row.measures[measure] ?? [];
  const text = short(median(values));
  return text === '–' ? text : `${text}${unit} ${percent(values)}`.trim();
}

function ratioCell(rows, row, measure, reference) {
  const base = find(rows, row?.case, reference);
  if (row === undefined || base === undefined) return '–';
  if (row === base) return '1';
  const values = ratios(row.measures[measure], base.measures[measure]);
  const text = short(median(values));
  return text === '–' ? text : `${text} ${percent(values)}`.trim();
}

/** A spread around zero has no percentage. */
function percent(values) {
  const share = spread(values);
  return values.length > 1 && Number.isFinite(share) ? `±${Math.round(share * 100)} %` : '';
}

const find = (rows, name, contender) => rows.find((row) => row.case === name && row.contender === contender);

const distinct = (values) => [...new Set(values)];

export function table(head, lines) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, i) => (i === 0 ? '---' : '---:'));
  return [head, rule, ...lines].map(line).join('\n');
}
