// What is tried on a runtime: checks that run one after the other, each with a name.

/** A check that takes longer hangs. */
const HANGS_AFTER_MS = 120_000;

const checks = [];

export function check(name, run) {
  checks.push({ name, run });
}

/** Prints what fails, then how many checks there were. */
export async function runChecks() {
  let failed = 0;
  for (const { name, run } of checks) {
    try {
      await inTime(run());
    } catch (error) {
      failed++;
      console.log(`FAIL ${name}\n${error?.stack ?? error}`);
    }
  }
  console.log(failed > 0 ? `${failed} of ${checks.length} checks failed` : `${checks.length} checks`);
  process.exit(failed > 0 ? 1 : 0);
}

async function inTime(work) {
  let timer;
  const hangs = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('it hangs')), HANGS_AFTER_MS);
  });
  await Promise.race([work, hangs]).finally(() => clearTimeout(timer));
}
