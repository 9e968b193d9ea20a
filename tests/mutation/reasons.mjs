// Why mutants live that no test can kill, or that none should: by file and by what stands there, so that a reason stays
// with its code when lines move.

/** @type {readonly { file: string, from: string | RegExp, to?: string | RegExp, reason: string }[]} */
const reasons = [];

const fits = (pattern, text) => (typeof pattern === 'string' ? pattern === text : pattern.test(text));

export function reasonFor({ file, from, to }) {
  return reasons.find(
    (one) => file.endsWith(one.file) && fits(one.from, from) && (one.to === undefined || fits(one.to, to)),
  )?.reason;
}
