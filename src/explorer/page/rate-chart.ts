/// <reference lib="dom" />
import { setText } from './element.ts';

const WIDTH = 120;
const HEIGHT = 36;
/** Room for half of the line's width. */
const TOP = 2;

/** Draws counts per second. */
export class RateChart {
  readonly #svg: SVGSVGElement;
  readonly #peak: Element;

  constructor(svg: SVGSVGElement, peak: Element) {
    this.#svg = svg;
    this.#peak = peak;
  }

  draw(perSecond: readonly number[]): void {
    const peak = Math.max(1, ...perSecond);
    const line = linePath(perSecond, peak);
    this.#svg.querySelector('.line')?.setAttribute('d', line);
    this.#svg.querySelector('.area')?.setAttribute('d', `${line}V${HEIGHT}H0Z`);
    const highest = Math.max(0, ...perSecond).toLocaleString();
    const now = (perSecond.at(-1) ?? 0).toLocaleString();
    setText(this.#peak, `peak ${highest}`);
    this.#svg.setAttribute('aria-label', `Live events per second, last 2 minutes: now ${now}, peak ${highest}`);
  }
}

/** From the left edge to the right one, whatever the number of values. */
export function linePath(values: readonly number[], peak: number): string {
  const step = WIDTH / Math.max(1, values.length - 1);
  const points = values.map((value, i) => {
    const y = HEIGHT - (value / peak) * (HEIGHT - TOP);
    return `${round(i * step)} ${round(y)}`;
  });
  return `M${points.join('L')}`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
