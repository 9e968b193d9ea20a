// The server process: one contender, and a load upon it.
import { Credit } from './credit.mjs';
import * as loads from './loads.mjs';
import { Meter } from './meter.mjs';
import { serveParent } from './processes.mjs';

let contender;
let context;

serveParent(async ({ setup, load, params }) => {
  if (setup) return prepare(setup);
  return loads[load](context, params);
});

async function prepare({ module, options }) {
  const { create } = await import(module);
  contender = await create(options);
  const credit = new Credit();
  const { port, request, readyMark = '\r\n\r\n', pids = [] } = contender;
  context = { contender, credit, meter: new Meter(pids, credit) };
  return { port, request, readyMark, creditPort: await credit.listen() };
}
