// Opens the logs in the folders that are named and reads all of each; says how it went, in a line for each.
import { LmdbEventLog } from '../../src/logs/lmdb/index.ts';

async function readAll(path: string, readOnly: boolean): Promise<string> {
  try {
    await using log = await LmdbEventLog.open({ path, readOnly });
    const { first, head } = await log.state();
    let records = 0;
    for await (const chunk of log.read(first, head)) records += chunk.length;
    return `whole, ${records} records`;
  } catch (error) {
    return error instanceof Error && 'code' in error ? `${String(error.code)}: ${error.message}` : String(error);
  }
}

for (const path of process.argv.slice(2)) {
  console.log(await readAll(path, true));
  console.log(await readAll(path, false));
}
