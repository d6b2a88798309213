// Reads a browser's profile as a forensic examiner does: every file, in every form that things are kept in, for words and pictures.
//
//   echo '{"host":"quiet-garden.page","words":{"title":["Sunday bakes"]}}' | node traces.mjs FOLDER
//   {"files":31,"found":[{"file":"Default/History","what":["host","title"],"how":["raw"]}],"images":[{"file":…,"kind":"png",…}]}
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

import { images } from "./traces/images.mjs";
import { layers } from "./traces/layers.mjs";
import { finder, needles } from "./traces/needles.mjs";

// Something packed in something packed in something packed.
const DEEPEST = 3;

export function examine(folder, { host, words }) {
  const find = finder(needles(host, words));
  const found = new Map(), pictures = [];
  let count = 0;
  for (const path of files(folder)) {
    const name = relative(folder, path), file = general(name);
    const hit = (kind, needle) => {
      const here = found.get(file) ?? { what: new Set(), how: new Set() };
      here.what.add(needle.name);
      here.how.add([kind, needle.how].filter(Boolean).join(", "));
      found.set(file, here);
    };
    count += 1;
    for (const needle of find(Buffer.from(name))) hit("in its name", needle);
    for (const [kind, bytes] of all(name, readFileSync(path))) {
      for (const needle of find(bytes)) hit(kind, needle);
      for (const image of images(bytes)) pictures.push({ file, ...image });
    }
  }
  const sorted = [...found].sort(([one], [other]) => (one < other ? -1 : 1));
  return { files: count, found: sorted.map(([file, { what, how }]) => ({ file, what: [...what].sort(), how: [...how].sort() })), images: pictures };
}

function* files(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* files(path);
    else if (entry.isFile()) yield path;
  }
}

// Only a file has a name to tell what it is by.
function* all(name, bytes, kinds = []) {
  yield [kinds.join(", ") || "raw", bytes];
  if (kinds.length === DEEPEST) return;
  for (const [kind, unpacked] of layers(name, bytes)) if (unpacked.length) yield* all("", unpacked, [...kinds, kind]);
}

// The same for each run: without numbers and digests, and a database's journal belongs to the database.
export function general(name) {
  return name.replace(/-(wal|journal|shm)$/, "").replace(/[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{16,}|[0-9A-F]{16,}|\d{6,}/g, "*");
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const wanted = JSON.parse(await text(process.stdin));
  process.stdout.write(JSON.stringify(examine(process.argv[2], wanted)));
}
