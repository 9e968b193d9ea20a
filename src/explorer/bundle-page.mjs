// Bundles the page from its sources: for the build, which publishes the outcome as data, and for whoever runs the
// sources.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const folder = fileURLToPath(new URL('./page/', import.meta.url));

export const pageAssets = {
  markup: readFileSync(`${folder}page.html`, 'utf8'),
  style: bundle('page.css'),
  script: bundle('main.ts'),
};

function bundle(file) {
  const { outputFiles } = buildSync({
    entryPoints: [folder + file],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: ['es2022', 'chrome111', 'firefox115', 'safari16.4'],
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'error',
  });
  return outputFiles[0].text.trim();
}
