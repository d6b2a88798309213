// What people are told stays on their phones is what the test of it found, in each language, and the document says the same.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { BEYOND } from "./residual/document.mjs";
import { differences, taken, told } from "./residual/list.mjs";
import { written } from "./residual.mjs";

const read = (file) => readFileSync(new URL(file, import.meta.url), "utf8");
const { classes, tried } = JSON.parse(read("residual.json"));
const WORDS = "../../services/video-session/web/words/";
const SITE = { browser: "chromium", file: "History", what: ["host", "title"], ways: ["ended", "left"] };
const list = (...traces) => ({ classes: [{ id: "address", traces }] });
const one = (way, what, file = "History") => ({ browser: "chromium", way, file, what });
const ALL = ["ended", "left"].flatMap((way) => ["host", "title"].map((what) => one(way, what)));

test("a new trace is told, and one that is gone", () => {
  assert.deepEqual(differences(list(SITE), "chromium", ALL), []);
  assert.deepEqual(differences(list(SITE), "chromium", [...ALL, one("left", "token")]), ["new: chromium, left: token in History"]);
  assert.deepEqual(differences(list(SITE), "chromium", [...ALL, one("crashed", "host")]), ["new: chromium, crashed: host in History"]);
  assert.deepEqual(differences(list(SITE), "chromium", [...ALL, one("left", "host", "Cache")]), ["new: chromium, left: host in Cache"]);
  assert.deepEqual(differences(list(SITE), "chromium", ALL.slice(1)), ["not there any more: chromium, ended: host in History"]);
  assert.deepEqual(differences(list({ ...SITE, sometimes: true }), "chromium", []), []);
  assert.deepEqual(differences(list(SITE), "firefox", []), [], "what another browser keeps");
});

test("what isn't known yet is put down, and has to be named", () => {
  const fresh = [one("left", "token"), one("ended", "token"), one("left", "ids"), one("ended", "ids"), one("left", "code")];
  const { classes: [known, made] } = taken(list(SITE), [...ALL, ...fresh]);
  assert.deepEqual(known, list(SITE).classes[0]);
  assert.deepEqual(made, { id: "new", traces: [
    { browser: "chromium", file: "History", what: ["token", "ids"], ways: ["left", "ended"] },
    { browser: "chromium", file: "History", what: ["code"], ways: ["left"] },
  ] });
  assert.deepEqual(differences({ classes: [made] }, "chromium", fresh), ["without a class: History, History"]);
  assert.deepEqual(taken(list(SITE), ALL), list(SITE));
});

test("a browser's own pictures are no trace, any other is", () => {
  const image = { file: "Cache", kind: "png", bytes: 900, sha256: "a" };
  const calls = { left: { found: [], images: [image, { ...image, sha256: "b" }, { ...image, bytes: 40_000 }] } };
  assert.deepEqual(told("chromium", { own: [image], calls }), [one("left", "picture", "Cache (png)")]);
});

test("each class has its sentence in ten languages, short enough to be read", () => {
  const ids = [...classes.map(({ id }) => `stays.${id}`), BEYOND];
  assert.ok(ids.length <= 6 && !ids.includes("stays.new"));
  const files = readdirSync(new URL(WORDS, import.meta.url));
  assert.equal(files.length, 10);
  for (const name of files) {
    const { page } = JSON.parse(read(WORDS + name));
    assert.deepEqual(Object.keys(page).filter((key) => key.startsWith("stays.")), ids, name);
    for (const key of ids) assert.ok(page[key].length <= 200, `${name} ${key}: ${page[key].length}`);
  }
  const html = read("../../services/video-session/web/index.html");
  assert.deepEqual(Array.from(html.matchAll(/data-say="(stays\.[a-z]+)"/g), ([, key]) => key), ids);
});

test("each trace says what it is", () => {
  for (const trace of classes.flatMap((each) => each.traces)) {
    assert.ok(trace.note && trace.what.length && trace.ways.length, JSON.stringify(trace));
  }
  assert.ok(tried.length >= 8);
});

test("the document is up to date, and says it as the page does", () => {
  const document = read("../../docs/residual-trace.md");
  assert.equal(document, written(), "node tests/browser/residual.mjs write");
  const { page } = JSON.parse(read(`${WORDS}en.json`));
  for (const { id } of classes) assert.ok(document.includes(`\n- ${page[`stays.${id}`]}\n`), id);
});
