// A word in every shape in which a browser may have written it, and all of them looked for in one go.
import { createHash } from "node:crypto";

// Shorter ones are everywhere by chance.
const SHORTEST = 6;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

// `[{ name, how, bytes }]` of words by name (`{ token: ["…"] }`) and of a host: its name alone stands for all addresses of it.
export function needles(host, words) {
  const all = Object.entries(words).flatMap(([name, texts]) => texts.flatMap((text) => shapes(text).map((shape) => ({ name, ...shape }))));
  const digest = createHash("sha256").update(wire(host)).digest();
  return all.concat(
    shapes(host.split(".")[0]).map((shape) => ({ name: "host", ...shape })),
    coded(digest).map((shape) => ({ name: "host", ...shape, how: `SHA-256${shape.how && `, ${shape.how}`}` })),
  );
}

function shapes(text) {
  const found = spellings(text).flatMap(([how, spelling]) => {
    const bytes = Buffer.from(spelling);
    const little = Buffer.from(spelling, "utf16le"), big = Buffer.from(little).swap16();
    const encodings = [["", bytes], ["UTF-16LE", little], ["UTF-16BE", big]];
    const named = (encoding, code) => [how, encoding, code].filter(Boolean).join(", ");
    return encodings.flatMap(([encoding, text]) => coded(text).map((one) => ({ how: named(encoding, one.how), bytes: one.bytes })));
  });
  if (UUID.test(text)) found.push({ how: "bytes", bytes: Buffer.from(text.replaceAll("-", ""), "hex") });
  const short = found.find(({ bytes }) => bytes.length < SHORTEST);
  if (short) throw new Error(`too short to be looked for: ${text}`);
  return found;
}

// As text: in either case, backwards (Firefox' history has hosts so), and escaped for addresses, forms and JSON.
function spellings(text) {
  const spelt = [...new Set([text, text.toLowerCase(), text.toUpperCase()])].map((one) => ["", one]);
  const also = (how, one) => { if (!spelt.some(([, known]) => known === one)) spelt.push([how, one]); };
  also("backwards", [...text].reverse().join(""));
  also("percent", encodeURIComponent(text));
  also("percent", [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, "0").toUpperCase()}`).join(""));
  also("form", encodeURIComponent(text).replaceAll("%20", "+"));
  also("JSON", text.replace(/[^ -~]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`));
  if (UUID.test(text)) also("without dashes", text.replaceAll("-", ""));
  return spelt;
}

// As bytes: themselves, in hex, and in base64 at each of the three places where they may begin in a longer text.
function coded(bytes) {
  const hex = bytes.toString("hex");
  const found = [["", bytes], ["hex", Buffer.from(hex)], ["hex", Buffer.from(hex.toUpperCase())]];
  for (const before of [0, 1, 2]) {
    // Only the characters that depend on nothing before or after.
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    const own = text.slice([0, 2, 3][before], Math.floor((8 * (before + bytes.length)) / 6));
    found.push(["base64", Buffer.from(own)]);
    const url = own.replaceAll("+", "-").replaceAll("/", "_");
    if (url !== own) found.push(["base64", Buffer.from(url)]);
  }
  return found.map(([how, bytes]) => ({ how, bytes }));
}

// A host's name as DNS sends it, which is what Chromium hashes: each label with its length before it.
function wire(host) {
  return Buffer.from([...host.split(".").map((label) => String.fromCharCode(label.length) + label), "\0"].join(""), "latin1");
}

// What looks for all of them at once: `find(bytes)` is the set of needles that are in there.
export function finder(needles) {
  const known = new Uint8Array(65536);
  const byStart = new Map();
  for (const needle of needles) {
    const start = needle.bytes.readUInt16BE(0);
    known[start] = 1;
    byStart.set(start, [...(byStart.get(start) ?? []), needle]);
  }
  return (bytes) => {
    const found = new Set();
    for (let at = 1, start = bytes[0]; at < bytes.length; at += 1) {
      start = ((start & 255) << 8) | bytes[at];
      if (known[start] === 0) continue;
      for (const needle of byStart.get(start)) {
        const end = at - 1 + needle.bytes.length;
        if (end <= bytes.length && needle.bytes.compare(bytes, at - 1, end) === 0) found.add(needle);
      }
    }
    return found;
  };
}
