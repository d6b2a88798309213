// Three taps on a dull corner, in Chromium: node page_corner.mjs BASE CODE. Nothing is to be seen of them, in the call and covered, by
// mouse and by finger; each is told once. Says how often it asked, and waits for a line before it goes.
import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { enter, launch, phone, until as becomes } from "./chromium.mjs";

const [base, code] = process.argv.slice(2);
const input = createInterface({ input: process.stdin });

const browser = await launch();
const context = await browser.newContext({ ...phone, hasTouch: true });
const page = await context.newPage();
page.setDefaultTimeout(20_000);
const complaints = [];
page.on("pageerror", (error) => complaints.push(String(error)));
const until = (what) => becomes(page, what);
const told = [];
page.on("request", (request) => { if (request.url().endsWith("/tap")) told.push(request); });
const asked = () => told.map((request) => request.postDataJSON()).filter((one) => one.what === "corner").map((one) => one.n);
const becomesAsked = async (numbers) => {
  while (asked().length < numbers.length) await page.waitForEvent("request", (request) => request.url().endsWith("/tap"));
  assert.deepEqual(asked(), numbers);
};

// All of the page that is still: where everything is, how it is drawn, what is chosen and marked.
const looks = () => page.evaluate(() => {
  const drawn = (one) => Array.from(getComputedStyle(one)).map((name) => getComputedStyle(one)[name]).join();
  const all = Array.from(document.querySelectorAll("body, body *:not(script)"));
  const whole = [document.title, document.activeElement.id || document.activeElement.tagName, String(getSelection()), scrollY, visualViewport.scale];
  return whole.concat(all.map((one) => [one.id, one.className, JSON.stringify(one.getBoundingClientRect()), drawn(one), one.children.length ? "" : one.textContent].join("|")));
});
const mouse = (x, y) => page.mouse.click(x, y);
const finger = (x, y) => page.touchscreen.tap(x, y);
const threeTaps = async (place, tap, numbers) => {
  const { x, y, width, height } = await page.locator(place).boundingBox();
  assert.ok(width >= 44 && height >= 44, `${place}: ${width} x ${height} is found by no finger`);
  const [at, before] = [[x + 20, y + height / 2], asked()];
  await page.mouse.move(...at);
  const then = await looks();
  for (let time = 0; time < 3; time += 1) {
    assert.deepEqual(asked(), before, "three of them");
    await tap(...at);
  }
  await becomesAsked(numbers);
  assert.deepEqual(await looks(), then);
};

await page.goto(base);
await until(() => document.body.dataset.state === "idle");
// Nobody is there yet who could be told.
await page.click("#corner", { clickCount: 3 });
await enter(page, code);
await until(() => document.body.dataset.state === "live" && document.body.dataset.remote === "yes");
assert.deepEqual(told, []);
// Two are none, however long one waits; nor are three elsewhere.
await page.click("#corner", { clickCount: 2 });
await page.click("#other", { clickCount: 3 });
// By the page's own clock: what was tapped until here counts no more.
await page.evaluate(() => { window.tapped = performance.now(); });
await until(() => performance.now() - window.tapped > 3000);
assert.deepEqual(told, []);
await threeTaps("#corner", mouse, [1]);
await threeTaps("#corner", finger, [1, 2]);
// Whoever is writing goes on writing.
await page.click("#talk");
await page.fill("#text", "we are out of milk");
await page.focus("#text");
await threeTaps("#corner", mouse, [1, 2, 3]);
await threeTaps("#corner", finger, [1, 2, 3, 4]);
assert.deepEqual(await page.evaluate(() => [document.activeElement.id, by("text").value]), ["text", "we are out of milk"]);
await page.click("#less");

await page.evaluate(() => by("cover").click());
await until(() => document.body.dataset.front === "yes");
await threeTaps("#front .corner", mouse, [1, 2, 3, 4, 5]);
await threeTaps("#front .corner", finger, [1, 2, 3, 4, 5, 6]);
assert.equal(await page.evaluate(() => document.body.dataset.front), "yes");
// There is one on each of them, as dull.
const corners = await page.evaluate(() => JSON.parse(by("fronts").textContent).map((front) => {
  drawFront(front, by("front"));
  const [corner] = document.querySelectorAll("#front .corner");
  return [corner === by("front").firstChild, corner.textContent, getComputedStyle(corner).cursor];
}));
assert.deepEqual(corners, Array(3).fill([true, new URL(base).hostname, "default"]));

// A reloaded page counts on.
await page.reload();
await until(() => document.body.dataset.front === "yes");
await threeTaps("#front .corner", finger, [1, 2, 3, 4, 5, 6, 7]);
for (const request of told) assert.equal((await request.response()).status(), 204);
assert.deepEqual(complaints, []);
console.log(asked().length);
await input[Symbol.asyncIterator]().next();
await browser.close();
input.close();
process.stdin.destroy();
