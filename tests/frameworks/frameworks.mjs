// The apps: how each is built and started. Commands run in this folder as a user has it, with `node_modules` beside it.
const bin = (name) => `node_modules/.bin/${name}`;
const tsc = (folder) => ['node', bin('tsc'), '--noEmit', '-p', folder];

/**
 * `package`: whose version is told. `page`: it renders the orders on the server. `newNode`: it wants a Node that is
 * newer than the oldest that fenceline runs on. `npm run` finds its own Node first, so commands name theirs.
 */
export const frameworks = [
  {
    name: 'nest-express',
    package: '@nestjs/platform-express',
    build: [['node', bin('tsc'), '-p', 'nest']],
    start: ['node', 'nest/dist/nest/express.js'],
  },
  {
    name: 'nest-fastify',
    package: '@nestjs/platform-fastify',
    build: [['node', bin('tsc'), '-p', 'nest']],
    start: ['node', 'nest/dist/nest/fastify.js'],
  },
  {
    name: 'next',
    package: 'next',
    build: [['node', bin('next'), 'build', 'next']],
    start: ['node', bin('next'), 'start', 'next'],
    page: true,
  },
  {
    name: 'next-webpack',
    package: 'next',
    build: [['node', bin('next'), 'build', '--webpack', 'next']],
    start: ['node', bin('next'), 'start', 'next'],
    page: true,
  },
  {
    name: 'next-dev',
    package: 'next',
    build: [],
    start: ['node', bin('next'), 'dev', 'next'],
    page: true,
    reloads: 'shop.ts',
  },
  {
    name: 'sveltekit',
    package: '@sveltejs/kit',
    folder: 'sveltekit',
    build: [
      ['node', `../${bin('svelte-kit')}`, 'sync'],
      ['node', `../${bin('vite')}`, 'build'],
      ['node', `../${bin('tsc')}`, '--noEmit'],
    ],
    start: ['node', 'build/index.js'],
    page: true,
    newNode: true,
  },
  {
    name: 'react-router',
    package: 'react-router',
    folder: 'react-router',
    build: [
      ['node', `../${bin('react-router')}`, 'typegen'],
      ['node', `../${bin('tsc')}`, '--noEmit'],
      ['node', `../${bin('react-router')}`, 'build'],
    ],
    start: ['node', `../${bin('react-router-serve')}`, 'build/server/index.js'],
    page: true,
    newNode: true,
  },
  { name: 'elysia', package: 'elysia', build: [tsc('elysia')], start: [bin('bun'), 'elysia/app.ts'] },
  {
    name: 'elysia-node',
    package: '@elysiajs/node',
    build: [tsc('elysia')],
    start: ['node', 'elysia/node.ts'],
    newNode: true,
  },
  {
    name: 'h3',
    package: 'h3',
    folder: 'h3',
    build: [['node', `../${bin('tsc')}`, '--noEmit']],
    start: ['node', 'app.ts'],
    newNode: true,
  },
  {
    name: 'nitro',
    package: 'nitropack',
    folder: 'nitro',
    build: [
      ['node', `../${bin('nitropack')}`, 'prepare'],
      ['node', `../${bin('tsc')}`, '--noEmit'],
      ['node', `../${bin('nitropack')}`, 'build'],
    ],
    start: ['node', '.output/server/index.mjs'],
  },
];
