// `node tests/bench/zstd.mjs`, on Node 22.15 or later: would zstd be worth another way of compressing? Each connection
// gets the same blocks. Those of gzip may refer to the text before them; a zstd frame, as Node makes them, stands
// alone.
import zlib from 'node:zlib';

const { Z_SYNC_FLUSH, ZSTD_c_compressionLevel: LEVEL } = zlib.constants;
if (zlib.zstdCompressSync === undefined) throw new Error(`Node ${process.version} has no zstd; 22.15 has.`);

const EVENTS = 4000;
/** As much text as a block of SharedGzip refers to. */
const DICTIONARY_BYTES = 6 * 1024;

const zstd = (level) => (text) => zlib.zstdCompressSync(text, { params: { [LEVEL]: level } });
const ways = {
  'gzip, with the text before it': (text, before) =>
    zlib.deflateRawSync(text, { finishFlush: Z_SYNC_FLUSH, ...(before.length > 0 && { dictionary: before }) }),
  'gzip, by itself': (text) => zlib.deflateRawSync(text, { finishFlush: Z_SYNC_FLUSH }),
  'zstd, level 1': zstd(1),
  'zstd, level 3': zstd(3),
};

let seed = 7;
const random = (below) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % below;

function line(index) {
  const key = `order-${random(10_000)}`;
  const Payload = {
    id: key,
    status: ['pending', 'paid', 'shipped', 'lost'][random(4)],
    total: random(100_000) / 100,
    customer: { id: random(1_000_000), name: `Customer ${random(10_000)}` },
    lines: [{ sku: `sku-${random(10_000)}`, n: 1 + random(5) }],
  };
  const event = { Topic: 'Order', Type: 'OrderChanged', Key: key, Namespace: 'shop', FilterKeys: null, Index: index };
  return `${JSON.stringify({ Index: index, Events: [{ ...event, Payload }] })}\n`;
}

/** @returns by how much the texts shrink, and the CPU time of one, in µs */
function measure(compress, texts) {
  let before = Buffer.alloc(0);
  let bytes = 0;
  const start = process.cpuUsage().user;
  for (const text of texts) {
    bytes += compress(text, before).length;
    before = Buffer.concat([before, text]).subarray(-DICTIONARY_BYTES);
  }
  const micros = (process.cpuUsage().user - start) / texts.length;
  return { ratio: texts.reduce((sum, { length }) => sum + length, 0) / bytes, micros };
}

for (const burst of [1, 16]) {
  const textOf = (_, i) => Buffer.from(Array.from({ length: burst }, (_, n) => line(i * burst + n)).join(''));
  const texts = Array.from({ length: EVENTS / burst }, textOf);
  console.log(`${burst} to a flush, ${texts[1].length} B:`);
  for (const [name, compress] of Object.entries(ways)) {
    measure(compress, texts);
    const { ratio, micros } = measure(compress, texts);
    console.log(`  ${name}: ${ratio.toFixed(2)} times smaller, ${micros.toFixed(0)} µs`);
  }
}
