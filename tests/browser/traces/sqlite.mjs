// SQLite's files are searched as they lie there, so that what was deleted counts, too. What that misses is a text that goes on on
// another page: wherever four bytes may be the number of that page, what is before them and what that page has are put side by side.
const NEAR = 256;
const WAL_HEADER = 32;
const FRAME_HEADER = 24;

export function seams(bytes) {
  const pages = bytes.subarray(0, 6).toString() === "SQLite" ? paged(bytes) : framed(bytes);
  const numbers = new Map();
  for (const page of pages) numbers.set(page.number, [...(numbers.get(page.number) ?? []), page.bytes]);
  // Not the first page first: this is no database itself.
  const parts = [GAP];
  for (const { bytes: page } of pages) {
    for (let at = 4; at + 4 <= page.length; at += 1) {
      // What the number of any page of a file under 64 GB begins with.
      if (page[at] !== 0) continue;
      for (const next of numbers.get(page.readUInt32BE(at)) ?? []) {
        parts.push(page.subarray(Math.max(0, at - NEAR), at), next.subarray(4, 4 + NEAR), GAP);
      }
    }
    // A page that only goes on: its first four bytes say where after its end.
    for (const next of numbers.get(page.readUInt32BE(0)) ?? []) parts.push(page.subarray(-NEAR), next.subarray(4, 4 + NEAR), GAP);
  }
  return Buffer.concat(parts);
}

const GAP = Buffer.alloc(4);

function paged(bytes) {
  // One is how 65536 is written.
  const size = bytes.readUInt16BE(16) === 1 ? 65536 : bytes.readUInt16BE(16);
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, n) => ({ number: n + 1, bytes: bytes.subarray(n * size, (n + 1) * size) }));
}

// A write-ahead log: frames of one page each, with its number before it. Older ones may be of the same page.
function framed(bytes) {
  const size = bytes.readUInt32BE(8), frame = FRAME_HEADER + size;
  return Array.from({ length: Math.floor((bytes.length - WAL_HEADER) / frame) }, (_, n) => {
    const at = WAL_HEADER + n * frame;
    return { number: bytes.readUInt32BE(at), bytes: bytes.subarray(at + FRAME_HEADER, at + frame) };
  });
}
