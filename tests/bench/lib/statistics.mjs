// What is said of a handful of rounds: the median, and half of the range as its spread.

export function quantile(values, share) {
  const sorted = values.filter((value) => Number.isFinite(value)).toSorted((a, b) => a - b);
  if (sorted.length === 0) return NaN;
  const place = (sorted.length - 1) * share;
  const low = Math.floor(place);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (place - low);
}

export const median = (values) => quantile(values, 0.5);

/** Half of (largest − smallest) over the median. */
export function spread(values) {
  const finite = values.filter((value) => Number.isFinite(value));
  return finite.length < 2 ? 0 : (Math.max(...finite) - Math.min(...finite)) / 2 / Math.abs(median(finite));
}

/** Ratios are taken round by round, within one round of one run: machines drift, ratios hold. */
export const ratios = (values, reference) => values.map((value, round) => value / reference[round]);

/** Three significant digits, with k and M. */
export function short(value) {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 999_500) return `${(value / 1e6).toPrecision(3)} M`;
  if (size >= 9995) return `${Math.round(value / 1e3)} k`;
  if (size >= 999.5) return `${(value / 1e3).toPrecision(2)} k`;
  if (size >= 99.5) return value.toFixed(0);
  return value.toPrecision(size < 0.995 ? 2 : 3);
}
