// What a page might do so that less stays, each tried by itself in a fresh browser that is closed afterwards, and what that changes about
// what is found. By hand, for docs/residual-trace.md ("Tried"): node tried.mjs chromium|firefox [a-name]
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { examine } from "./traces.mjs";

// Counts as secure without TLS.
const HOST = "larkspur-meadow.localhost";
const WORDS = { title: ["Larkspur notes"], words: ["a heron over the weir"], cookie: ["__Host-back"], token: ["y2kq8w0f5h7mzc31"] };
const COOKIE = "__Host-back=y2kq8w0f5h7mzc31; Path=/; Secure; HttpOnly; SameSite=Strict";

// As our page is. What it does when it ends is answered by POST /leave.
const PLAIN = { status: 404, headers: { "Cache-Control": "no-store" }, icon: "data:,", cookie: COOKIE, leave: { "Set-Cookie": `${COOKIE}; Max-Age=0` } };
const leaving = (...headers) => ({ leave: { ...PLAIN.leave, "Clear-Site-Data": headers.map((one) => `"${one}"`).join(", ") } });
export const VARIANTS = {
  "as it is, without Clear-Site-Data": {},
  "Clear-Site-Data: cookies": leaving("cookies"),
  "Clear-Site-Data: cache": leaving("cache"),
  "Clear-Site-Data: storage": leaving("storage"),
  "Clear-Site-Data: *": leaving("*"),
  "Clear-Site-Data: executionContexts": leaving("executionContexts"),
  "status 200": { status: 200 },
  "status 410": { status: 410 },
  "without no-store": { headers: {} },
  "Request-OTR: 1": { headers: { ...PLAIN.headers, "Request-OTR": "1" } },
  "a favicon of its own": { icon: "/icon.png" },
  "no word about a favicon": { icon: null },
  "replaceState": { script: "history.replaceState(null, '', '/other')" },
  "the token in the address, and replaceState": { at: "/#y2kq8w0f5h7mzc31", script: "history.replaceState(null, '', '/')" },
  "no cookie": { cookie: null },
  "a cookie with an age": { cookie: `${COOKIE}; Max-Age=600` },
  "sessionStorage, and cleared": { script: "sessionStorage.back = 'y2kq8w0f5h7mzc31'; onpagehide = () => sessionStorage.clear()" },
  "localStorage, and cleared": { script: "localStorage.back = 'y2kq8w0f5h7mzc31'; onpagehide = () => localStorage.clear()" },
};
// A pixel.
const ICON = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");

function serve({ status, headers, icon, cookie, leave, script = "" }) {
  const page = `<!doctype html><title>${WORDS.title}</title>${icon ? `<link rel="icon" href="${icon}">` : ""}<p>${WORDS.words}</p><script>${script}</script>`;
  const server = createServer((request, response) => {
    if (request.url === "/leave") return response.writeHead(204, { ...headers, ...leave }).end();
    if (request.url.endsWith("icon.png")) return response.writeHead(200, { ...headers, "Content-Type": "image/png" }).end(ICON);
    if (request.url.startsWith("/favicon.ico")) return response.writeHead(404).end();
    const set = cookie ? { "Set-Cookie": cookie } : {};
    return response.writeHead(status, { ...headers, ...set, "Content-Type": "text/html; charset=utf-8" }).end(page);
  });
  return new Promise((done) => { server.listen(0, () => done(server)); });
}

async function found(launch, variant) {
  const server = await serve({ ...PLAIN, ...variant });
  const home = mkdtempSync(join(tmpdir(), "tried-"));
  process.env.HOME = home;
  try {
    const browser = await launch();
    const page = await browser.open({ width: 390, height: 844 });
    await page.goto(`http://${HOST}:${server.address().port}${variant.at ?? "/"}`);
    await page.evaluate("fetch('/leave', { method: 'POST' }).then(() => undefined)");
    await browser.close();
    const { found } = examine(home, { host: HOST, words: WORDS });
    const lines = found.flatMap(({ file, what }) => what.map((one) => `${one} in ${file}`));
    return { lines, shown: shownVisits(home) };
  } finally {
    server.close();
    rmSync(home, { recursive: true, force: true });
  }
}

// How many visits Chromium's history page would show, and Firefox's suggestions.
function shownVisits(home) {
  const ask = (file, query) => {
    try {
      return execFileSync("python3", ["-c", "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()[0])", join(home, "profile", file), query], { stdio: ["ignore", "pipe", "ignore"] }).toString().trim();
    } catch {
      return null;
    }
  };
  return ask("Default/History", "select count(*) from urls where hidden = 0 and url like '%larkspur%'")
    ?? ask("places.sqlite", "select count(*) from moz_places where hidden = 0 and frecency != 0 and url like '%larkspur%'");
}

const [, , engine, only] = process.argv;
const { launch } = await import(`./${engine}_kept.mjs`);
let first;
for (const [name, variant] of Object.entries(VARIANTS).filter(([name], index) => index === 0 || !only || name === only)) {
  const { lines, shown } = await found(launch, variant);
  first ??= lines;
  const less = first.filter((line) => !lines.includes(line)).map((line) => `- ${line}`);
  const more = lines.filter((line) => !first.includes(line)).map((line) => `+ ${line}`);
  const list = lines === first ? lines.map((line) => `  ${line}`) : [...less, ...more];
  console.log([`${name} (${shown} shown)`, ...list].join("\n    "));
}
process.exit();
