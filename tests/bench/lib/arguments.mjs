/** Reads `--name value`, `--name=value` and `--flag`, as the defaults' types say; lists are separated by commas. */
export function readArguments(defaults, given = process.argv.slice(2)) {
  const values = { ...defaults };
  const rest = [...given];
  while (rest.length > 0) {
    const [, name, inline] = /^--([\w-]+)(?:=(.*))?$/s.exec(rest.shift()) ?? [];
    if (!(name in defaults)) throw new TypeError(`unknown option; known: --${Object.keys(defaults).join(' --')}`);
    values[name] = parse(defaults[name], inline ?? (defaults[name] === false ? 'true' : rest.shift()));
  }
  return values;
}

function parse(example, text = '') {
  if (Array.isArray(example)) return text.split(',').filter(Boolean);
  if (typeof example === 'number') return Number(text);
  return typeof example === 'boolean' ? text !== 'false' : text;
}
