/** The markdown of a result file (default `results/latest.json`), without the markers. */
export function renderReport(file?: string): string;
