export { explorerFetchHandler, explorerHandler } from './explorer-handler.ts';
export type { ExplorerOptions } from './explorer-handler.ts';
