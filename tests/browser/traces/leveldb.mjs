// LevelDB, in which Chromium keeps storage, service workers and more: sorted tables of packed blocks, and the log of what isn't in one
// yet. All that a file still has is read, also what was replaced or deleted since.
import { unsnappy, varint } from "./lz.mjs";

// What every table ends with.
export const TABLE = Buffer.from("57fb808b247547db", "hex");
const FOOTER = 48;
const LOG_BLOCK = 32 << 10;
const LOG_HEADER = 7;
const [FULL, FIRST, , LAST] = [1, 2, 3, 4];

// Keys and values, each key whole: in the file it says only in what it differs from the one before.
export function tabled(bytes) {
  const footer = bytes.subarray(-FOOTER);
  const [, meta] = handle(footer, 0);
  const [[at, size]] = handle(footer, meta);
  const parts = [];
  for (const [, where] of entries(block(bytes, at, size))) {
    const [[at, size]] = handle(where, 0);
    for (const pair of entries(block(bytes, at, size))) parts.push(...pair);
  }
  return Buffer.concat(parts);
}

function handle(bytes, at) {
  const [offset, middle] = varint(bytes, at);
  const [size, end] = varint(bytes, middle);
  return [[offset, size], end];
}

function block(bytes, at, size) {
  const raw = bytes.subarray(at, at + size);
  return bytes[at + size] === 1 ? unsnappy(raw) : raw;
}

function* entries(data) {
  const end = data.length - 4 * (data.readUInt32LE(data.length - 4) + 1);
  let key = Buffer.alloc(0);
  for (let at = 0; at < end;) {
    let shared, own, length;
    [shared, at] = varint(data, at);
    [own, at] = varint(data, at);
    [length, at] = varint(data, at);
    key = Buffer.concat([key.subarray(0, shared), data.subarray(at, at + own)]);
    at += own + length;
    yield [key, data.subarray(at - length, at)];
  }
}

// Records, put together where the edge of a block cut them. A block that makes no sense is left at once: the next may.
export function logged(bytes) {
  const parts = [];
  let open = [];
  for (let start = 0; start < bytes.length; start += LOG_BLOCK) {
    const block = bytes.subarray(start, start + LOG_BLOCK);
    for (let at = 0; at + LOG_HEADER <= block.length;) {
      const end = at + LOG_HEADER + block.readUInt16LE(at + 4);
      const kind = block[at + 6];
      if (kind < FULL || kind > LAST || end > block.length) break;
      if (kind === FULL || kind === FIRST) open = [];
      open.push(block.subarray(at + LOG_HEADER, end));
      if (kind === FULL || kind === LAST) parts.push(...open.splice(0));
      at = end;
    }
  }
  return Buffer.concat([...parts, ...open]);
}
