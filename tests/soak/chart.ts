// A chart of lines as SVG, by hand: two panels with a few lines each do not pay for a library of charts, which for
// drawing on a server bring a DOM or megabytes along.

export interface Line {
  readonly name: string;
  readonly color: string;
  /** One for each step of the horizontal axis. */
  readonly values: readonly number[];
}

export interface Panel {
  readonly title: string;
  readonly lines: readonly Line[];
}

const width = 760;
const height = 220;
const left = 60;
const right = 20;
const top = 42;
const bottom = 34;

/** @param steps what the horizontal axis says at each step */
export function renderChart(title: string, panels: readonly Panel[], steps: readonly (string | number)[]): string {
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height * panels.length}" role="img">`;
  const font = '<g font-family="system-ui, sans-serif" font-size="12" fill="#333">';
  const body = panels.map((panel, i) => renderPanel(panel, i * height, steps)).join('\n');
  const ground = `<rect width="${width}" height="${height * panels.length}" fill="#fff"/>`;
  return `${head}\n<title>${escape(title)}</title>\n${ground}\n${font}\n${body}\n</g>\n</svg>\n`;
}

function renderPanel({ title, lines }: Panel, offset: number, steps: readonly (string | number)[]): string {
  const most = niceCeiling(Math.max(...lines.flatMap(({ values }) => values)));
  const x = (i: number): number => round(left + (i * (width - left - right)) / Math.max(1, steps.length - 1));
  const y = (value: number): number => round(offset + height - bottom - (value / most) * (height - top - bottom));
  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const at = y(share * most);
    const rule = `<line x1="${left}" x2="${width - right}" y1="${at}" y2="${at}" stroke="#ddd"/>`;
    return `${rule}<text x="${left - 8}" y="${at + 4}" text-anchor="end">${label(share * most)}</text>`;
  });
  const every = Math.ceil(steps.length / 10);
  const ticks = steps
    .map((step, i) => [step, i] as const)
    .filter(([, i]) => i % every === 0)
    .map(
      ([step, i]) =>
        `<text x="${x(i)}" y="${offset + height - bottom + 18}" text-anchor="middle">${escape(step)}</text>`,
    );
  const drawn = lines.map(({ color, values }) => {
    const points = values.map((value, i) => `${x(i)},${y(value)}`).join(' ');
    return `<polyline fill="none" stroke="${color}" stroke-width="2" points="${points}"/>`;
  });
  const legend = lines.map(({ name, color }, i) => {
    const at = width - right - (lines.length - i) * 130;
    const key = `<rect x="${at}" y="${offset + 14}" width="14" height="4" fill="${color}"/>`;
    return `${key}<text x="${at + 20}" y="${offset + 21}">${escape(name)}</text>`;
  });
  const heading = `<text x="${left}" y="${offset + 21}" font-weight="600">${escape(title)}</text>`;
  return [heading, ...grid, ...ticks, ...drawn, ...legend].join('\n');
}

/** 1, 2, 4 or 5 and zeros: what quarters of can be read. */
function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 4, 5, 10].map((factor) => factor * power).find((one) => one >= value) ?? value;
}

const round = (value: number): number => Math.round(value * 10) / 10;
const label = (value: number): string => Number(value.toPrecision(3)).toLocaleString('en-US');
const escape = (text: string | number): string =>
  String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
