// The contenders of the replay to many: each holds the same events, and writes the same bytes to who comes back.
const contender = (name, file, options = {}) => ({ name, module: import.meta.resolve(`./${file}.mjs`), options });

export const raw = contender('raw loop', 'raw');
/** All bytes are there already, in one text: as fast as Node writes to so many sockets. */
export const pieces = contender('all bytes held ready, in pieces of 64 KiB', 'raw', { isReady: true });
export const fenceline = contender('fenceline', 'fenceline');
