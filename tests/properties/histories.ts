/** How many histories a property runs: as many as fit into `npm test`, or very many with NIGHTLY=1. */
export const histories = (count = 200): { readonly numRuns: number } => ({
  numRuns: process.env['NIGHTLY'] === '1' ? 10_000 : count,
});

/** A property's own time limit, in ms: the nightly form takes its time. */
export const patienceMs = process.env['NIGHTLY'] === '1' ? 3_600_000 : 180_000;
