// What is kept of a run: the counts of each file, and the mutants that lived.

export function summaryOf(run, mutants, files) {
  const counts = {};
  const survivors = [];
  for (const { id, isIgnored, ...mutant } of mutants) {
    const own = (counts[mutant.file] ??= { killed: 0, timedOut: 0, lived: 0, unreached: 0, ignored: 0 });
    const outcome = isIgnored ? 'ignored' : outcomeOf(id, files);
    own[outcome] += 1;
    if (outcome === 'killed' && files.isTimedOut(id)) own.timedOut += 1;
    if (outcome === 'lived' || outcome === 'unreached') survivors.push({ ...mutant, outcome });
  }
  return { ...run, counts: sumOf(Object.values(counts)), files: counts, survivors };
}

/** The same, but that these of its survivors, by name, were found to be 'killed', 'timedOut' or 'ignored'. */
export function withFound(summary, found, nameOf) {
  const survivors = summary.survivors.filter((one) => !found.has(nameOf(one)));
  for (const one of summary.survivors) {
    const outcome = found.get(nameOf(one));
    if (outcome === undefined) continue;
    const counts = summary.files[one.file];
    counts[one.outcome] -= 1;
    counts[outcome === 'ignored' ? 'ignored' : 'killed'] += 1;
    if (outcome === 'timedOut') counts.timedOut += 1;
  }
  return { ...summary, counts: sumOf(Object.values(summary.files)), survivors };
}

/** The same, but for what came of some files, whose mutants were all tried anew. */
export function withFiles(summary, found) {
  const files = { ...summary.files, ...found.files };
  const others = summary.survivors.filter(({ file }) => !(file in found.files));
  const order = Object.keys(files);
  const survivors = [...others, ...found.survivors].toSorted((a, b) => order.indexOf(a.file) - order.indexOf(b.file));
  return { ...summary, counts: sumOf(Object.values(files)), files, survivors };
}

function outcomeOf(id, files) {
  if (files.isKilled(id)) return 'killed';
  return files.tries(id) > 0 ? 'lived' : 'unreached';
}

export function sumOf(all) {
  const sum = { killed: 0, timedOut: 0, lived: 0, unreached: 0, ignored: 0 };
  for (const counts of all) for (const name of Object.keys(sum)) sum[name] += counts[name] ?? 0;
  return sum;
}

/** In per cent of all mutants but those that are ignored. */
export function scoreOf({ killed, lived, unreached }) {
  return (100 * killed) / Math.max(1, killed + lived + unreached);
}
