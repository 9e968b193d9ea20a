// The server process: one contender, and a load upon it.
import { Credit } from './credit.mjs';
import * as joining from './join-load.mjs';
import * as others from './loads.mjs';
import { Meter } from './meter.mjs';
import { serveParent } from './processes.mjs';

const loads = { ...others, ...joining };
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
  const address = { port, request, readyMark, creditPort: await credit.listen() };
  if (contender.liveRequest === undefined) return address;
  context.watch = new Credit();
  return {
    ...address,
    watch: { port, readyMark, request: contender.liveRequest, creditPort: await context.watch.listen() },
  };
}
