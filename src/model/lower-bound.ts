/**
 * The first place from `low` up to `high` that is not below what is searched, `high` when all are: places below come
 * first.
 */
export function lowerBound(low: number, high: number, isBelow: (place: number) => boolean): number {
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBelow(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
