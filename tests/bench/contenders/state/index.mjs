// The contenders of the joining: each holds the same keys, and writes the same bytes to who joins.
const contender = (name, file) => ({ name, module: import.meta.resolve(`./${file}.mjs`), options: {} });

export const raw = contender('raw loop', 'raw');
export const fenceline = contender('fenceline', 'fenceline');
