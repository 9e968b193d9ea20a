// A process for what is measured in process: runs one module of ../workers.
import { serveParent } from './processes.mjs';

serveParent(async ({ module, params }) => {
  const { measure } = await import(module);
  return measure(params);
});
