// What stays on a phone after a call, as far as it is known: residual.json, which docs/residual-trace.md is made of.
//
//   node residual.mjs check chromium < what-was-found.json    every trace is known, and every known one is there (tests/tests/trace.rs)
//   UPDATE_TRACES=1 node residual.mjs check chromium < ...    unknown ones are put down as of the class `new`, to be named by hand
//   node residual.mjs write                                   writes docs/residual-trace.md
import { readFileSync, writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { fileURLToPath, pathToFileURL } from "node:url";

import { document } from "./residual/document.mjs";
import { differences, taken, told } from "./residual/list.mjs";

const LIST = new URL("residual.json", import.meta.url);
const DOCUMENT = new URL("../../docs/residual-trace.md", import.meta.url);
const ENGLISH = new URL("../../services/video-session/web/words/en.json", import.meta.url);

const read = (file) => JSON.parse(readFileSync(file, "utf8"));

// As it must be in docs/.
export function written() {
  return document(read(LIST), read(ENGLISH).page);
}

async function check(browser) {
  const list = read(LIST);
  const found = told(browser, JSON.parse(await text(process.stdin)));
  if (process.env.UPDATE_TRACES) {
    writeFileSync(LIST, `${JSON.stringify(taken(list, found), null, 2)}\n`);
    return;
  }
  const wrong = differences(list, browser, found);
  if (wrong.length === 0) return;
  process.stderr.write(`${wrong.join("\n")}\n`);
  process.exitCode = 1;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [, , errand, browser] = process.argv;
  if (errand === "check") await check(browser);
  else if (errand === "write") writeFileSync(fileURLToPath(DOCUMENT), written());
  else throw new Error("check BROWSER, or write");
}
