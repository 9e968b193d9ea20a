/** Deletes the oldest entries of a map, as many as stand above `count`. A Map keeps the order of insertion. */
export function keepNewest<K>(map: Map<K, unknown>, count: number): void {
  for (const oldest of map.keys()) {
    if (map.size <= count) return;
    map.delete(oldest);
  }
}
