// Files of which the tests execute few statements, each with the reason. check-coverage.mjs reads this.

/** @type {Readonly<Record<string, string>>} */
export const uncovered = {};
