// What is the same for everybody who comes is held ready, and written in pieces of 64 KiB, the next when the response
// takes more.
const PIECE_BYTES = 64 * 1024;

export function inPieces(bytes) {
  const count = Math.ceil(bytes.length / PIECE_BYTES);
  return Array.from({ length: count }, (_, i) => bytes.subarray(i * PIECE_BYTES, (i + 1) * PIECE_BYTES));
}

export function writeAll(response, pieces) {
  let next = 0;
  const go = () => {
    while (next < pieces.length) if (!response.write(pieces[next++])) return;
    response.off('drain', go);
  };
  response.on('drain', go);
  go();
}
