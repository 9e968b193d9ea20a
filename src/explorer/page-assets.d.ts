/**
 * The parts of the page. From the sources they are bundled on loading; in the package this module is data, written by
 * the build.
 */
export declare const pageAssets: { readonly markup: string; readonly style: string; readonly script: string };
