// What a file's bytes are once they are unpacked: each form in which a browser keeps things on its disk, as an examiner's tools read
// them. Yields `[kind, bytes]`; whoever asks looks into those in turn. What turns out to be something else yields nothing.
import { createDecipheriv, pbkdf2Sync } from "node:crypto";
import { brotliDecompressSync, constants, inflateRawSync, inflateSync } from "node:zlib";

import { logged, tabled, TABLE } from "./leveldb.mjs";
import { unlz4, unsnappy } from "./lz.mjs";
import { seams } from "./sqlite.mjs";

const AT_MOST = 64 << 20;
const MOZ_LZ4 = Buffer.from("mozLz40\0");
const SNAPPY_FRAMES = Buffer.from("\xff\x06\0\0sNaPpY", "latin1");
const SQLITE = Buffer.from("SQLite format 3\0");
const WAL = [Buffer.from("377f0682", "hex"), Buffer.from("377f0683", "hex")];
// Chromium's "simple" cache: the length of an entry's address is at 12, the address at 24, its body behind that.
const SIMPLE_CACHE = Buffer.from("305c72a71b6dfbfc", "hex");

export function* layers(name, bytes) {
  const begins = (magic) => bytes.subarray(0, magic.length).equals(magic);
  if (begins(MOZ_LZ4)) yield* tried("lz4", () => unlz4(bytes, 12, bytes.readUInt32LE(8)));
  if (begins(SNAPPY_FRAMES)) yield* tried("snappy", () => unframed(bytes));
  if (bytes.subarray(-TABLE.length).equals(TABLE)) yield* tried("leveldb", () => tabled(bytes));
  if (/(^|\/)(\d+\.log|MANIFEST-\d+)$/.test(name)) yield* tried("leveldb log", () => logged(bytes));
  if (begins(SQLITE) || WAL.some(begins)) {
    yield* tried("sqlite, over the edge of a page", () => seams(bytes));
    yield* tried("cookie", () => unhidden(bytes));
  }
  yield* streams(bytes, begins(SIMPLE_CACHE) ? 24 + bytes.readUInt32LE(12) : 0);
}

function* tried(kind, make) {
  try {
    yield [kind, make()];
  } catch { /* Something else after all. */ }
}

// What was packed for the wire or for the disk, wherever in the file it begins; brotli has no mark, so only where a body may begin.
function* streams(bytes, body) {
  const some = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: AT_MOST };
  for (const at of marks(bytes, 0x1f, (next, after) => next === 0x8b && after === 8)) {
    yield* tried("gzip", () => inflateRawSync(bytes.subarray(at + gzipHeader(bytes, at)), some));
  }
  for (const at of marks(bytes, 0x78, (next) => [0x01, 0x5e, 0x9c, 0xda].includes(next))) {
    yield* tried("zlib", () => inflateSync(bytes.subarray(at), some));
  }
  const bits = { finishFlush: constants.BROTLI_OPERATION_FLUSH, maxOutputLength: AT_MOST };
  yield* tried("brotli", () => brotliDecompressSync(bytes.subarray(body), bits));
}

function* marks(bytes, first, isMark) {
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (isMark(bytes[at + 1], bytes[at + 2])) yield at;
  }
}

function gzipHeader(bytes, at) {
  const flags = bytes[at + 3];
  let end = at + 10;
  if (flags & 4) end += 2 + bytes.readUInt16LE(end);
  for (const text of [8, 16]) if (flags & text) end = bytes.indexOf(0, end) + 1;
  return end + (flags & 2) - at;
}

// Firefox' Cache API: chunks with their length, packed (0) or not (1), after their checksum.
function unframed(bytes) {
  const parts = [];
  for (let at = 0; at + 4 <= bytes.length;) {
    const kind = bytes[at], end = at + 4 + bytes.readUIntLE(at + 1, 3);
    if (kind === 0) parts.push(unsnappy(bytes.subarray(at + 8, end)));
    if (kind === 1) parts.push(bytes.subarray(at + 8, end));
    at = end;
  }
  return Buffer.concat(parts);
}

// Chromium on Linux hides the values of cookies behind a key that everybody knows, where there is no keyring: each begins with "v10".
function unhidden(bytes) {
  const key = pbkdf2Sync("peanuts", "saltysalt", 1, 16, "sha1");
  const parts = [];
  for (let at = bytes.indexOf("v10"); at >= 0; at = bytes.indexOf("v10", at + 1)) {
    const decipher = createDecipheriv("aes-128-cbc", key, Buffer.alloc(16, " ")).setAutoPadding(false);
    parts.push(decipher.update(bytes.subarray(at + 3, at + 3 + 512)));
  }
  return Buffer.concat(parts);
}
