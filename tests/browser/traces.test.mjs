// A searcher that finds nothing proves nothing: words and pictures are planted in every form, and each of them is found.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createCipheriv, pbkdf2Sync } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";

import { examine, general } from "./traces.mjs";

const HOST = "quiet-garden.page";
const WORD = "Sunday bakes";
const WORDS = { title: [WORD], said: ["das Café, «ja»"], id: ["0198f3a1-7c22-7e7b-9d11-5b0c2f6e4d01"], code: ["K7QF-2M9X"] };
// What only noise is around.
const NOISE = Buffer.from(Array.from({ length: 400 }, (_, n) => (n * 89 + 17) % 256));
const wrapped = (bytes) => Buffer.concat([NOISE, Buffer.from(bytes), NOISE]);

// What is found in a folder of these files.
function planted(files, words = WORDS) {
  const folder = mkdtempSync(join(tmpdir(), "traces-"));
  try {
    for (const [name, bytes] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), bytes);
    }
    return examine(folder, { host: HOST, words });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function assertFound(name, bytes, what, how) {
  const { found } = planted({ [name]: bytes });
  assert.equal(found.length, 1, `${name}: ${what} wasn't found`);
  assert.deepEqual(found[0].what, [what], name);
  assert.ok(found[0].how.includes(how), `${name}: ${how} is not in ${found[0].how}`);
}

test("nothing is found where nothing is", () => {
  assert.deepEqual(planted({ a: NOISE, "b/c": "Sunday, baked. quiet garden", empty: "" }), { files: 3, found: [], images: [] });
});

test("a word in every spelling and encoding", () => {
  const [id] = WORDS.id, [said] = WORDS.said;
  const little = (text) => Buffer.from(text, "utf16le");
  const hex = (text) => Buffer.from(text).toString("hex");
  const cases = [
    [WORD, "title", "raw"],
    [WORD.toUpperCase(), "title", "raw"],
    [WORD.toLowerCase(), "title", "raw"],
    [little(WORD), "title", "raw, UTF-16LE"],
    [little(WORD).swap16(), "title", "raw, UTF-16BE"],
    [hex(WORD), "title", "raw, hex"],
    [hex(WORD).toUpperCase(), "title", "raw, hex"],
    [hex(little(WORD)), "title", "raw, UTF-16LE, hex"],
    ["?t=Sunday%20bakes", "title", "raw, percent"],
    ["?t=Sunday+bakes", "title", "raw, form"],
    ["%53%75%6E%64%61%79%20%62%61%6B%65%73", "title", "raw, percent"],
    [encodeURIComponent(said), "said", "raw, percent"],
    ["das Caf\\u00e9, \\u00abja\\u00bb", "said", "raw, JSON"],
    ["egap.nedrag-teiuq.", "host", "raw, backwards"],
    ["https://quiet-garden.page/", "host", "raw"],
    [Buffer.from("\x0cquiet-garden\x04page\0", "latin1"), "host", "raw"],
    [Buffer.from(id.replaceAll("-", ""), "hex"), "id", "raw, bytes"],
    [id.replaceAll("-", ""), "id", "raw, without dashes"],
    [id.toUpperCase(), "id", "raw"],
    ["k7qf-2m9x", "code", "raw"],
  ];
  for (const [bytes, what, how] of cases) assertFound("a", wrapped(bytes), what, how);
});

test("a word in base64, wherever in the text it begins, in both alphabets", () => {
  for (const before of ["", "x", "xy", "xyz", "wxyz"]) {
    for (const after of ["", "a", "ab", "abc"]) {
      assertFound("a", wrapped(Buffer.from(before + WORD + after).toString("base64")), "title", "raw, base64");
      assertFound("a", wrapped(Buffer.from(before + WORDS.said[0] + after).toString("base64url")), "said", "raw, base64");
    }
  }
});

test("Chromium's digest of a host", () => {
  // As its TransportSecurity has it for this name: SHA-256 of the name as DNS sends it.
  const digest = execFileSync("openssl", ["dgst", "-sha256", "-binary"], { input: Buffer.from("\x0cquiet-garden\x04page\0", "latin1") });
  assertFound("TransportSecurity", `{"sts":[{"host":"${digest.toString("base64")}"}]}`, "host", "raw, SHA-256, base64");
  assertFound("a", wrapped(digest), "host", "raw, SHA-256");
});

test("a word in a file's name", () => {
  const { found } = planted({ "storage/default/https+++quiet-garden.page/.metadata-v2": NOISE });
  assert.deepEqual(found.map(({ what, how }) => [what, how]), [[["host"], ["in its name"]]]);
});

const varint = (value) => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)]);

// The word, of which snappy copies the end from where that was before: nothing that reads raw bytes finds it.
function snappy(front, filler, end) {
  const [head, tail] = ["Sunday b", "akes"];
  const literal = (bytes) => {
    const length = bytes.length - 1;
    return [...(length < 60 ? [length << 2] : [61 << 2, length & 255, length >> 8]), ...bytes];
  };
  const before = Buffer.from(tail + filler + head), offset = before.length;
  const copy = offset < 256 ? [1, offset] : [(3 << 2) | 2, offset & 255, offset >> 8];
  const size = front.length + offset + tail.length + end.length;
  const packed = Buffer.from([...varint(size), ...literal(Buffer.concat([front, before])), ...copy, ...literal(end)]);
  assert.ok(!packed.includes(WORD), "not to be found as it is");
  return packed;
}

function block(pairs) {
  let before = Buffer.alloc(0);
  const parts = pairs.flatMap(([key, value]) => {
    let shared = 0;
    while (shared < Math.min(before.length, key.length) && before[shared] === key[shared]) shared += 1;
    before = key;
    return [Buffer.from([...varint(shared), ...varint(key.length - shared), ...varint(value.length)]), key.subarray(shared), value];
  });
  // One restart, at the beginning.
  return Buffer.concat([...parts, Buffer.from([0, 0, 0, 0, 1, 0, 0, 0])]);
}

// A sorted table of these blocks, packed (1) or not (0), each with its checksum behind it.
function table(blocks) {
  const parts = [];
  const put = ([bytes, kind]) => {
    const at = Buffer.concat(parts).length;
    parts.push(bytes, Buffer.from([kind, 0, 0, 0, 0]));
    return Buffer.from([...varint(at), ...varint(bytes.length)]);
  };
  const handles = blocks.map(put);
  const meta = put([block([]), 0]);
  const index = put([block(handles.map((where, n) => [Buffer.from(`k${n}`), where])), 0]);
  const footer = Buffer.concat([meta, index]);
  return Buffer.concat([...parts, footer, Buffer.alloc(40 - footer.length), Buffer.from("57fb808b247547db", "hex")]);
}

test("LevelDB: a packed block of a table, and a key of which only the end is there", () => {
  const filler = "x".repeat(300), key = Buffer.from("key");
  const header = Buffer.from([0, key.length, ...varint(4 + filler.length + WORD.length)]);
  const packed = snappy(Buffer.concat([header, key]), filler, Buffer.from([0, 0, 0, 0, 1, 0, 0, 0]));
  const empty = Buffer.alloc(0);
  assertFound("Local Storage/leveldb/000005.ldb", table([[block([[Buffer.from("a"), empty]]), 0], [packed, 1]]), "title", "leveldb");
  const keys = table([[block([[Buffer.from("https://quiet-"), empty], [Buffer.from("https://quiet-garden.page"), empty]]), 0]]);
  assert.ok(!keys.includes("quiet-garden"));
  assertFound("000007.ldb", keys, "host", "leveldb");
});

test("LevelDB: a record of a log, cut by the edge of a block", () => {
  const record = (bytes, kind) => Buffer.from([1, 2, 3, 4, bytes.length & 255, bytes.length >> 8, kind, ...bytes]);
  const pieces = [Buffer.alloc(32768 - 2 * 7 - 6, "x"), ...["Sunday", " bak", "es"].map((piece) => Buffer.from(piece))];
  const log = Buffer.concat(pieces.map((piece, n) => record(piece, n + 1)));
  assert.ok(!log.includes(WORD));
  assertFound("IndexedDB/x/000003.log", log, "title", "leveldb log");
  assertFound("MANIFEST-000001", log, "title", "leveldb log");
});

test("Firefox' session files", () => {
  // Literals up to "ba", a match of five from the beginning ("kes: "), and the rest.
  const text = Buffer.from("kes: Sunday ba");
  const packed = Buffer.concat([Buffer.from([(14 << 4) | 1]), text, Buffer.from([14, 0]), Buffer.from([5 << 4]), Buffer.from("later")]);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(14 + 5 + 5);
  const file = Buffer.concat([Buffer.from("mozLz40\0"), size, packed]);
  assert.ok(!file.includes(WORD));
  assertFound("sessionstore-backups/recovery.jsonlz4", file, "title", "lz4");
});

test("Firefox' stores: framed snappy", () => {
  const packed = snappy(Buffer.from("before "), "x".repeat(70), Buffer.from(" after"));
  const chunk = (kind, bytes) => Buffer.concat([Buffer.from([kind, (bytes.length + 4) & 255, (bytes.length + 4) >> 8, 0, 9, 9, 9, 9]), bytes]);
  const frames = Buffer.concat([Buffer.from("\xff\x06\0\0sNaPpY", "latin1"), chunk(1, Buffer.from("first")), chunk(0, packed)]);
  assert.ok(!frames.includes(WORD));
  assertFound("cache/morgue/1.final", frames, "title", "snappy");
});

test("bodies in a cache, packed as they came, and something packed in something packed", () => {
  const page = Buffer.from(`<title>${WORD}</title>`.padEnd(900, "<p>text"));
  for (const [how, packed] of [["gzip", gzipSync(page)], ["zlib", deflateSync(page)]]) {
    assertFound("Cache/Cache_Data/0123456789abcdef_0", wrapped(packed), "title", how);
    assertFound("cut", packed.subarray(0, packed.length - 9), "title", how);
  }
  const named = Buffer.from(gzipSync(page));
  named[3] = 8;
  assertFound("named", Buffer.concat([named.subarray(0, 10), Buffer.from("a name\0"), named.subarray(10)]), "title", "gzip");
  const brotli = brotliCompressSync(page);
  assert.ok(!brotli.includes(WORD));
  assertFound("cache2/entries/A", Buffer.concat([brotli, NOISE]), "title", "brotli");
  const address = "1/0/https://elsewhere.test/", head = Buffer.alloc(24);
  head.write("305c72a71b6dfbfc", "hex");
  head.writeUInt32LE(address.length, 12);
  assertFound("Cache_Data/0123456789abcdef_0", Buffer.concat([head, Buffer.from(address), brotli, NOISE]), "title", "brotli");
  assertFound("twice", wrapped(gzipSync(wrapped(deflateSync(page)))), "title", "gzip, zlib");
});

test("Chromium's cookies, hidden behind a key that everybody knows", () => {
  const cipher = createCipheriv("aes-128-cbc", pbkdf2Sync("peanuts", "saltysalt", 1, 16, "sha1"), Buffer.alloc(16, " "));
  const value = Buffer.concat([Buffer.from("v10"), cipher.update(Buffer.concat([Buffer.alloc(32, 7), Buffer.from(WORD)])), cipher.final()]);
  const insert = `db.execute("insert into cookies values (?)", (bytes.fromhex("${value.toString("hex")}"),)); db.commit()`;
  assertFound("Default/Cookies", sqlite(`db.execute("create table cookies (value)"); ${insert}`).main, "title", "cookie");
});

// A database that Python made, as its process' end left it.
function sqlite(script) {
  const folder = mkdtempSync(join(tmpdir(), "traces-"));
  try {
    execFileSync("python3", ["-c", `import os, sqlite3\ndb = sqlite3.connect("main")\n${script}\nos._exit(0)`], { cwd: folder });
    const read = (name) => { try { return readFileSync(join(folder, name)); } catch { return null; } };
    return { main: read("main"), wal: read("main-wal") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("SQLite: what is there, what was deleted, and what is only in its log yet", () => {
  const table = `db.execute("create table visits (url)")`;
  const insert = `db.executemany("insert into visits values (?)", [("${WORD}",)] + [("x" * 900,)] * 40); db.commit()`;
  assertFound("places.sqlite", sqlite(`${table}; ${insert}`).main, "title", "raw");
  const deleted = sqlite(`${table}; ${insert}; db.execute("pragma secure_delete = off"); db.execute("delete from visits"); db.commit()`).main;
  assert.ok(deleted.readUInt32BE(36) > 0, "there are free pages");
  assertFound("places.sqlite", deleted, "title", "raw");
  const { main, wal } = sqlite(`db.execute("pragma journal_mode = wal"); db.execute("pragma wal_autocheckpoint = 0"); ${table}; ${insert}`);
  assert.ok(!main.includes(WORD));
  assertFound("places.sqlite-wal", wal, "title", "raw");
});

test("SQLite: a word that goes on on another page, wherever it is cut", () => {
  // 9,010 bytes each, of which 830 or so are where the row is and 4,092 on each page that follows.
  const rows = `[("x" * n + "mark %05d" % n + "y" * (9000 - n),) for n in [*range(780, 880), *range(4870, 4970)]]`;
  const words = Array.from({ length: 200 }, (_, n) => `mark ${String(n < 100 ? n + 780 : n + 4770).padStart(5, "0")}`);
  const script = `db.execute("create table rows (text)"); db.executemany("insert into rows values (?)", ${rows}); db.commit()`;
  const { main } = sqlite(script);
  const { wal } = sqlite(`db.execute("pragma journal_mode = wal"); db.execute("pragma wal_autocheckpoint = 0"); ${script}`);
  for (const [name, bytes] of [["rows.sqlite", main], ["rows.sqlite-wal", wal]]) {
    const cut = words.filter((word) => !bytes.includes(word));
    assert.ok(cut.length > 10, `${cut.length} words are cut`);
    for (const word of cut) {
      const { found } = planted({ [name]: bytes }, { row: [word] });
      assert.deepEqual(found.map(({ how }) => how), [["sqlite, over the edge of a page"]], word);
    }
  }
});

test("pictures and recordings by what they begin with, whatever they lie in", () => {
  const source = ["-loglevel", "error", "-f", "lavfi", "-i", "testsrc=size=64x48:rate=5:duration=1"];
  const made = (...options) => execFileSync("ffmpeg", [...source, ...options, "pipe:1"]);
  const still = (codec) => made("-frames:v", "1", "-c:v", codec, "-f", "image2pipe");
  const kinds = {
    png: still("png"), jpeg: still("mjpeg"), gif: made("-f", "gif"), webp: made("-frames:v", "1", "-c:v", "libwebp", "-f", "webp"),
    matroska: made("-c:v", "libvpx", "-f", "webm"), ivf: made("-c:v", "libvpx", "-f", "ivf"), ogg: made("-c:v", "libtheora", "-f", "ogg"),
    "iso media": made("-c:v", "mpeg4", "-movflags", "frag_keyframe+empty_moov", "-f", "mp4"),
  };
  for (const [kind, bytes] of Object.entries(kinds)) {
    const { images } = planted({ thumbnail: wrapped(bytes), packed: gzipSync(wrapped(bytes)) });
    const seen = images.filter((image) => image.kind === kind);
    assert.deepEqual([...new Set(seen.map(({ file }) => file))].sort(), ["packed", "thumbnail"], kind);
  }
  const [one, other] = planted({ one: wrapped(kinds.png), other: kinds.png }).images;
  assert.equal(one.sha256, other.sha256, "the same wherever it lies");
  assert.deepEqual(planted({ a: Buffer.from("\xff\xd8\xff\xe0\x00\x10 not a picture", "latin1") }).images, []);
});

test("the same file has the same name in each run", () => {
  for (const [name, same] of [
    ["Default/Sessions/Session_13440154458031735", "Default/Sessions/Session_*"],
    ["Default/Cache/Cache_Data/0123456789abcdef_0", "Default/Cache/Cache_Data/*_0"],
    ["places.sqlite-wal", "places.sqlite"],
    ["crashes/0198f3a1-7c22-7e7b-9d11-5b0c2f6e4d01.dmp", "crashes/*.dmp"],
    ["Default/History", "Default/History"],
  ]) assert.equal(general(name), same);
});

test("a word that would be found by chance is refused", () => {
  assert.throws(() => planted({ a: NOISE }, { code: ["abc"] }), /too short/);
});
