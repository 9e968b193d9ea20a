/**
 * Imports a package that may not be installed. JavaScript, since TypeScript wraps an `import` whose name is no literal,
 * and the comments, which tell bundlers to leave it alone, count only inside of it. The build writes the CommonJS form.
 */
export const importPackage = (name) =>
  import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ name);
