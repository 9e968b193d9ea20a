// The closing line that every test run ends with, and its reader.

export function closingLine({ passed, failed, skipped }) {
  return `tests: ${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/** The counts in the last closing line of an output; undefined when it has none, as after a crash. */
export function parseClosingLine(output) {
  const [line] = output.match(/^tests: \d+ passed, \d+ failed, \d+ skipped$/gm)?.slice(-1) ?? [];
  if (line === undefined) return undefined;
  const [passed, failed, skipped] = line.match(/\d+/g).map(Number);
  return { passed, failed, skipped };
}
