/**
 * A key as the table has it: `=` and its UTF-8, to be read with `convert_from(substring(key FROM 2), 'UTF8')`. A string
 * with half of a surrogate pair has no UTF-8 of its own: `#` and its UTF-16. At most 2,049 bytes, which an index takes.
 */
export function keyToHex(key: string): string {
  const text = Buffer.from(`=${key}`);
  const isText = text.toString() === `=${key}`;
  return (isText ? text : Buffer.concat([Buffer.from('#'), Buffer.from(key, 'utf16le')])).toString('hex');
}

export function keyFromHex(hex: string): string {
  const row = Buffer.from(hex, 'hex');
  return row.toString(row[0] === TEXT ? 'utf8' : 'utf16le', 1);
}

const TEXT = 0x3d;
