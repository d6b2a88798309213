// Snappy (LevelDB's blocks, Firefox' stores) and LZ4 (Firefox' session files): both copy from what they have just written.

export function varint(bytes, at) {
  let value = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = bytes[at++];
    if (byte === undefined) throw new RangeError("it ends in a number");
    value += (byte & 127) * scale;
    if (byte < 128) return [value, at];
  }
}

class Out {
  constructor(size) {
    if (size > 64 << 20) throw new RangeError("too long to be true");
    this.bytes = Buffer.alloc(size);
    this.length = 0;
  }

  literal(from, at, length) {
    if (at + length > from.length) throw new RangeError("it ends in a literal");
    from.copy(this.bytes, this.length, at, at + length);
    this.length += length;
  }

  // Byte by byte: a copy may repeat itself.
  again(offset, length) {
    if (offset === 0 || offset > this.length) throw new RangeError("a copy of nothing");
    for (let n = 0; n < length; n += 1, this.length += 1) this.bytes[this.length] = this.bytes[this.length - offset];
  }
}

export function unsnappy(bytes) {
  const [size, start] = varint(bytes, 0);
  const out = new Out(size);
  for (let at = start; at < bytes.length;) {
    const tag = bytes[at++];
    const long = tag >> 2;
    if ((tag & 3) === 0) {
      const more = Math.max(0, long - 59);
      const length = 1 + (more ? bytes.readUIntLE(at, more) : long);
      out.literal(bytes, at + more, length);
      at += more + length;
    } else if ((tag & 3) === 1) {
      out.again((tag >> 5) * 256 + bytes[at], (long & 7) + 4);
      at += 1;
    } else {
      const width = (tag & 3) === 2 ? 2 : 4;
      out.again(bytes.readUIntLE(at, width), long + 1);
      at += width;
    }
  }
  return out.bytes;
}

// One block of LZ4, from `at` to the end, `size` bytes unpacked.
export function unlz4(bytes, at, size) {
  const out = new Out(size);
  const more = (length) => {
    for (let byte = length === 15 ? 255 : 0; byte === 255; length += byte) byte = bytes[at++] ?? 0;
    return length;
  };
  while (at < bytes.length) {
    const tag = bytes[at++];
    const literal = more(tag >> 4);
    out.literal(bytes, at, literal);
    at += literal;
    if (at >= bytes.length) break;
    const offset = bytes.readUInt16LE(at);
    at += 2;
    out.again(offset, more(tag & 15) + 4);
  }
  return out.bytes;
}
