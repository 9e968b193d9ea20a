// Stands for the sources alone. The build publishes the bundled page in its place, so the package reads no file at run time and needs
// no bundler. Plain JavaScript, because it is no part of what tsc compiles.
export { pageAssets } from './bundle-page.mjs';
