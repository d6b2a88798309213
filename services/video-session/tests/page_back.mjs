// The browser's Back, in one that keeps pages in its memory, as a test's driver has it off and a person's doesn't:
// node page_back.mjs chromium|firefox BASE ELSEWHERE. Says what it needs ("code", "end"), and waits for a line. HOME is an empty folder.
import assert from "node:assert/strict";
import { createInterface } from "node:readline";

const [engine, base, elsewhere] = process.argv.slice(2);
const input = createInterface({ input: process.stdin });
const answers = input[Symbol.asyncIterator]();
const tell = async (what) => {
  console.log(what);
  return (await answers.next()).value;
};

// How each page of ours is shown, before it does anything about it.
const REMEMBER = `if (location.href.startsWith("${base}")) addEventListener("pageshow", (event) => {
  console.log("shown " + JSON.stringify([event.persisted, getComputedStyle(document.documentElement).display, document.body.innerText]));
});`;
const { launch } = await import(`../../../tests/browser/${engine}_kept.mjs`);
const browser = await launch();
const page = await browser.open({ width: 390, height: 844, script: REMEMBER });
page.setDefaultTimeout(20_000);
const complaints = [], shown = [];
// Firefox may look for an icon, which the page's policy refuses.
page.on("pageerror", (error) => { if (!String(error).includes("/favicon.ico")) complaints.push(String(error)); });
page.on("console", (message) => { if (message.text().startsWith("shown ")) shown.push(JSON.parse(message.text().slice(6))); });

// Asked in the middle of going somewhere, a page may be gone before it answers.
async function until(expression) {
  for (const end = Date.now() + 20_000; Date.now() < end; await new Promise((done) => { setTimeout(done, 50); })) {
    if (await page.evaluate(expression).catch(() => false)) return;
  }
  throw new Error(`never came: ${expression}; ${page.url()}; ${await page.evaluate("document.body.innerText")}; ${complaints}`);
}
// What it becomes is waited for: Firefox doesn't always say that a page has loaded.
const visit = (url) => { page.goto(url).catch(() => {}); };
const go = (way) => page.evaluate(`setTimeout(() => history.${way}(), 0); undefined`);
const isElsewhere = () => until("document.title === 'Harebell weather'");
// All that there is to read, and what could be seen or sent.
const all = () => page.evaluate(`JSON.stringify([document.title, document.body.innerText, location.href, getComputedStyle(document.documentElement).display,
  Array.from(document.querySelectorAll("video"), (one) => Boolean(one.srcObject))])`);
// One that came out of memory is blank until it is opened anew.
async function atTheDoor() {
  await until("document.body.dataset.state === 'idle' && !document.getElementById('join').hidden && getComputedStyle(document.documentElement).display !== 'none'");
  return all();
}
async function enter() {
  await page.fill("#code", await tell("code"));
  for (const button of ["#go", "#on", "#in"]) await page.click(button);
  await until("document.body.dataset.state === 'live' && document.body.dataset.remote === 'yes'");
}
async function leaveAndReturn() {
  visit(elsewhere);
  await isElsewhere();
  await go("back");
  assert.equal(await atTheDoor(), door, "a field for a code, and nothing else");
}

// It does keep pages.
visit(elsewhere);
await isElsewhere();
await page.evaluate("window.kept = true; undefined");
visit(base);
const door = await atTheDoor();
await go("back");
await isElsewhere();
assert.ok(await page.evaluate("window.kept"), "out of its memory");
await go("forward");
assert.equal(await atTheDoor(), door);

// Elsewhere in the middle of a call, and of one that is covered.
await enter();
await leaveAndReturn();
await enter();
await page.click("#cover");
await until("document.body.dataset.front === 'yes'");
await leaveAndReturn();

// After Leave there is no such place any more.
await enter();
await page.click("#leave");
await until("location.pathname === '/exit'");
for (const [way, path] of [["back", "/"], ["forward", "/exit"]]) {
  await go(way);
  await until(`location.pathname === "${path}" && document.title === "Harebell weather"`);
  assert.ok(page.url().startsWith(elsewhere), page.url());
}

// The call is over, by the other side.
visit(base);
await atTheDoor();
await enter();
await tell("end");
await until("document.body.dataset.state === 'ended'");
await leaveAndReturn();

const kept = shown.filter(([persisted]) => persisted);
assert.deepEqual(kept.filter(([, display]) => display !== "none"), [], "what comes out of its memory is blank");
assert.deepEqual(complaints, []);
console.log(`done: ${kept.length} of ${shown.length} out of memory`);
await browser.close();
input.close();
process.stdin.destroy();
