// What a browser may download of the client: minified and compressed. docs/client.md says it too.
const client = (names) => `export { ${names} } from './src/client/index.ts';`;

/** One row per way to use it; `bytes` is the bound. */
export const clientSizes = [
  { use: 'streamEventsWith({})', code: client('streamEventsWith'), bytes: 4 * 1024 },
  { use: 'streamEvents', code: client('streamEvents'), bytes: 8 * 1024 },
  { use: 'sharedByTabs(streamEvents, name)', code: client('sharedByTabs, streamEvents'), bytes: 9.9 * 1024 },
];
