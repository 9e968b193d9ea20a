/** The table of docs/logs.md: each log beside its engine alone. */
export function summary(rows: readonly object[]): string;
