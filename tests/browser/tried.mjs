// What a page might do so that less stays, each tried by itself in a fresh browser that is closed afterwards, and what that changes about
// what is found. By hand, for docs/residual-trace.md ("Tried"): node tried.mjs chromium|firefox [a-part-of-a-name]
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { examine } from "./traces.mjs";
import { ask } from "./tried/answer.mjs";
import { named, shownVisits } from "./tried/profile.mjs";
import { HOST, PLAIN, VARIANTS, WORDS } from "./tried/variants.mjs";

// A pixel.
const ICON = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");
const SHOWS = "window.shows = []; addEventListener('pageshow', (event) => shows.push(event.persisted));";

function serve({ status, headers, icon, cookie, leave, script = "" }) {
  const page = `<!doctype html><title>${WORDS.title}</title>${icon ? `<link rel="icon" href="${icon}">` : ""}<p>${WORDS.words}</p><script>${SHOWS}${script}</script>`;
  const server = createServer((request, response) => {
    if (request.url === "/elsewhere") return response.writeHead(200, { "Content-Type": "text/html" }).end("<link rel=icon href='data:,'>Harebells");
    if (request.url === "/leave") return response.writeHead(204, { ...headers, ...leave }).end();
    if (request.url.endsWith("icon.png")) return response.writeHead(200, { ...headers, "Content-Type": "image/png" }).end(ICON);
    if (request.url.startsWith("/favicon.ico")) return response.writeHead(404).end();
    const set = cookie ? { "Set-Cookie": cookie } : {};
    return response.writeHead(status, { ...headers, ...set, "Content-Type": "text/html; charset=utf-8" }).end(page);
  });
  return new Promise((done) => { server.listen(0, () => done(server)); });
}

// To a page of another host, and back: how often it was shown, and whether out of the browser's memory of pages.
async function go(page, goes, port) {
  await page.goto(`http://harebell.localhost:${port}/elsewhere`);
  if (goes !== "back") return "";
  await page.evaluate("setTimeout(() => history.back(), 0); undefined");
  for (;;) {
    const shows = await page.evaluate("window.shows && window.shows.length ? window.shows.join() : ''").catch(() => "");
    if (shows) return shows.endsWith("true") ? "out of memory, " : "loaded anew, ";
    await new Promise((done) => { setTimeout(done, 100); });
  }
}

async function found(engine, launch, variant) {
  const server = await serve({ ...PLAIN, ...variant });
  const home = mkdtempSync(join(tmpdir(), "tried-"));
  process.env.HOME = home;
  try {
    const browser = await launch({ asks: Boolean(variant.answer) });
    const page = await browser.open({ width: 390, height: 844 });
    const { port } = server.address(), origin = `http://${HOST}:${port}`;
    await page.goto(`${origin}${variant.at ?? "/"}`);
    let how = variant.asks ? `${await ask(engine, browser, page, origin, variant)}, ` : "";
    await page.evaluate("fetch('/leave', { method: 'POST' }).then(() => undefined)");
    if (variant.goes) how += await go(page, variant.goes, port);
    await browser[variant.goes === "killed" ? "crash" : "close"]();
    const { found } = examine(home, { host: HOST, words: WORDS });
    const lines = found.flatMap(({ file, what }) => what.map((one) => `${one} in ${file}`));
    return { lines: [...lines, ...named(home, HOST)], how: `${how}${shownVisits(home, HOST)} shown` };
  } finally {
    server.close();
    rmSync(home, { recursive: true, force: true });
  }
}

const [, , engine, only] = process.argv;
const { launch } = await import(`./${engine}_kept.mjs`);
const [AS_IT_IS] = Object.keys(VARIANTS);
const wanted = Object.keys(VARIANTS).filter((name) => !only || name.includes(only));
const before = (name) => VARIANTS[name].than ?? AS_IT_IS;
const results = {};
for (const name of new Set([AS_IT_IS, ...wanted.map(before), ...wanted])) {
  const result = await found(engine, launch, VARIANTS[name]).catch((error) => ({ how: error.message }));
  if (!result.lines) {
    console.log(`${name}: ${result.how}`);
    continue;
  }
  results[name] = result.lines;
  const first = name === AS_IT_IS ? [] : results[before(name)] ?? [];
  const less = first.filter((line) => !result.lines.includes(line)).map((line) => `- ${line}`);
  const more = result.lines.filter((line) => !first.includes(line)).map((line) => `+ ${line}`);
  console.log([`${name} (${result.how})`, ...less, ...more].join("\n    "));
}
process.exit();
