/** The markdown of a result file (default `results/latest.json`), without the markers. */
export function renderReport(file?: string): string;

/** The markdown of one scenario's result. */
export function renderScenario(name: string, result: never): string;
