// Pictures and recordings, by what such files begin with, wherever they lie: thumbnails, icons, frames.
import { createHash } from "node:crypto";

const text = (start) => Buffer.from(start, "latin1");
const toEnd = (bytes) => bytes.length;
const KINDS = [
  { kind: "png", start: text("\x89PNG\r\n\x1a\n"), end: (bytes, at) => after(bytes, text("IEND"), at, 8) },
  { kind: "jpeg", start: text("\xff\xd8\xff"), is: isJpeg, end: (bytes, at) => after(bytes, text("\xff\xd9"), at, 2) },
  { kind: "gif", start: text("GIF8"), end: (bytes, at) => after(bytes, text("\0;"), at, 2) },
  { kind: "webp", start: text("RIFF"), is: isWebp, end: (bytes, at) => at + 8 + bytes.readUInt32LE(at + 4) },
  // HEIC, AVIF, MP4: a box of a few words that says of which kind it is. It and the following hold on to the file's end.
  { kind: "iso media", start: text("ftyp"), is: (bytes, at) => at >= 4 && bytes.readUInt32BE(at - 4) < 128, end: toEnd },
  { kind: "matroska", start: text("\x1aE\xdf\xa3"), end: toEnd },
  { kind: "ivf", start: text("DKIF"), end: toEnd },
  { kind: "ogg", start: text("OggS"), end: toEnd },
];

// `{ kind, bytes, sha256 }` of each: the same picture has the same digest wherever it lies.
export function* images(bytes) {
  for (const { kind, start, is, end } of KINDS) {
    for (let at = bytes.indexOf(start); at >= 0; at = bytes.indexOf(start, at + start.length)) {
      if (is && !is(bytes, at)) continue;
      const whole = bytes.subarray(at, end(bytes, at));
      yield { kind, bytes: whole.length, sha256: createHash("sha256").update(whole).digest("hex") };
    }
  }
}

// Its first segment has a length, and another follows: three bytes alone are found by chance.
function isJpeg(bytes, at) {
  const [marker] = bytes.subarray(at + 3);
  return (marker === 0xdb || marker >> 4 === 0xe) && at + 6 <= bytes.length && bytes[at + 4 + bytes.readUInt16BE(at + 4)] === 0xff;
}

function isWebp(bytes, at) {
  return bytes.subarray(at + 8, at + 12).equals(text("WEBP"));
}

function after(bytes, mark, from, length) {
  const at = bytes.indexOf(mark, from);
  return at < 0 ? bytes.length : at + length;
}
