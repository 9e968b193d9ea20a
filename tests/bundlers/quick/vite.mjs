import { build, createLogger, version } from 'vite';

const [out] = process.argv.slice(2);
const customLogger = createLogger('silent');
customLogger.warn = customLogger.warnOnce = customLogger.error = (message) => console.error(message);
const common = { configFile: false, customLogger, logLevel: 'warn' };
const onLog = (_level, { message }) => console.error(message);

/** Server-side rendering leaves packages to `node_modules`, unless it is told to bundle them. */
await build({
  ...common,
  ssr: { noExternal: true },
  build: { ssr: 'server.mjs', outDir: `${out}/ssr`, emptyOutDir: true, rollupOptions: { onLog } },
});
await build({
  ...common,
  build: {
    lib: { entry: 'browser.mjs', formats: ['iife'], name: 'page', fileName: () => 'browser.js' },
    outDir: `${out}/browser`,
    emptyOutDir: true,
    rollupOptions: { onLog },
  },
});
console.log(version);
