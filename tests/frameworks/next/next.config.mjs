import { fileURLToPath } from 'node:url';

/** @type {import('next').NextConfig} */
export default {
  // What the apps share stands beside this folder.
  turbopack: { root: fileURLToPath(new URL('..', import.meta.url)) },
};
