// Can everybody use it? axe, the keyboard alone, text twice as large, small and large phones upright and on their side, from either
// side of the page: node page_fit.mjs BASE CODE [FOLDER FOR PICTURES]
import assert from "node:assert/strict";
import { forgotten, launch, phone, until } from "./chromium.mjs";
import { misfits, violations } from "./usable.mjs";

const [base, code, pictures] = process.argv.slice(2);
const SIZES = [[390, 844, 100], [320, 568, 200], [844, 390, 100]];

const browser = await launch();
const context = await browser.newContext(phone);
await context.addInitScript(() => {
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (asked) => (window.refuses ? Promise.reject(new DOMException("", window.refuses)) : real(asked));
});
const page = await context.newPage();
page.setDefaultTimeout(20_000);
page.on("pageerror", (error) => { throw error; });

async function speak(language) {
  await page.evaluate((language) => {
    const select = document.querySelector(".language");
    select.value = language;
    select.dispatchEvent(new Event("change"));
  }, language);
  await until(page, `document.documentElement.lang === "${language}"`);
}

// The ways out: the largest is the one in a hurry, none is near another, and they keep their places from the first screen to the last.
const places = {};

function ways() {
  const box = (id) => {
    const { x, y, width, height } = document.getElementById(id).getBoundingClientRect();
    return { x, y, width, height };
  };
  const picture = document.getElementById("call").getClientRects()[0];
  return { cover: box("cover"), talk: box("talk"), leave: box("leave"), bar: box("bar"), picture: picture && box("call"), height: innerHeight };
}

const overlaps = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
const gap = (a, b) => Math.max(a.x - b.x - b.width, b.x - a.x - a.width, a.y - b.y - b.height, b.y - a.y - a.height);

async function keepsItsWaysOut(name, place) {
  const { cover, talk, leave, bar, picture, height } = await page.evaluate(ways);
  places[place] = places[place] ?? { cover, leave };
  const moved = ["cover", "leave"].flatMap((id) => Object.keys(cover).map((side) => Math.abs({ cover, leave }[id][side] - places[place][id][side])));
  assert.ok(Math.max(...moved) <= 1, `${name}: where the thumb has learnt them; ${JSON.stringify([cover, leave, places[place]])}`);
  for (const other of [talk, leave]) {
    const isLarger = cover.width * cover.height > 1.2 * other.width * other.height || cover.width > 1.5 * other.width;
    assert.ok(isLarger, `${name}: ${JSON.stringify([cover, other])}`);
    assert.ok(Math.min(other.width, other.height) >= 48, name);
  }
  for (const [one, other] of [[cover, talk], [talk, leave], [cover, leave]]) assert.ok(gap(one, other) >= 12, `${name}: ${JSON.stringify([one, other])}`);
  assert.ok(leave.y + leave.height > height - 60, `${name}: at the foot`);
  if (picture) assert.ok(!overlaps(bar, picture), `${name}: beside the picture`);
}

async function fits(screen) {
  for (const language of ["en", "ur"]) {
    await speak(language);
    for (const [width, height, text] of SIZES) {
      const name = `${screen}-${language}-${width}x${height}-${text}`;
      await page.setViewportSize({ width, height });
      await page.evaluate((text) => { document.documentElement.style.fontSize = `${text}%`; }, text);
      assert.deepEqual(await violations(page), [], name);
      if (pictures) await page.screenshot({ path: `${pictures}/${name}.png` });
      await keepsItsWaysOut(name, name.slice(screen.length));
      assert.deepEqual(await misfits(page), [], name);
    }
  }
  await page.setViewportSize(phone.viewport);
  await page.evaluate(() => { document.documentElement.style.fontSize = ""; });
  await speak("en");
}

// Where the Tab key leads, from the top of the page until it leaves it.
async function walk() {
  await page.evaluate(() => { document.activeElement.blur(); document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute("tabindex"); });
  const stops = [];
  for (;;) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => { const one = document.activeElement; return one === document.body ? "" : one.id || one.className; });
    if (!stop || stop === stops[0]) return stops;
    stops.push(stop);
    const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.notEqual(ring, "none", `${stop}: nobody sees where they are`);
  }
}

await page.goto(base);
await fits("code");
assert.deepEqual(await walk(), ["cover", "leave", "code", "go", "language"]);
// Covered, it is an English page wherever it came from, and the space bar alone brings back what was there.
await speak("ur");
for (let time = 0; time < 3; time += 1) await page.keyboard.press("Shift");
assert.deepEqual(await page.evaluate(() => {
  const front = document.getElementById("front");
  return [front.lang, front.dir, getComputedStyle(front.querySelector("li")).direction];
}), ["en", "ltr", "ltr"]);
await page.focus("#front h1");
await page.keyboard.down(" ");
await until(page, () => document.body.dataset.front === "no");
await page.keyboard.up(" ");
assert.equal(await page.evaluate(() => document.documentElement.lang), "ur");
await speak("en");
await page.focus("#code");
await page.keyboard.type("K7QF");
await page.keyboard.press("Enter");
await until(page, () => document.getElementById("problem").textContent);
await fits("wrong-code");

// All the way in by keyboard.
await page.fill("#code", "");
await page.keyboard.type(code);
await page.keyboard.press("Enter");
await until(page, () => document.activeElement.id === "know");
await fits("know");
assert.deepEqual(await walk(), ["cover", "leave", "stays", "on", "quiet", "mute"]);
await page.focus("#stays");
await page.keyboard.press("Enter");
await until(page, () => document.querySelector("#know details").open);
await fits("stays");
await page.evaluate(() => { window.refuses = "NotAllowedError"; });
await page.focus("#on");
await page.keyboard.press("Enter");
await until(page, () => document.activeElement.id === "ways");
await fits("denied");
assert.deepEqual(await walk(), ["cover", "leave", "again", "unseen", "write"]);
await page.evaluate(() => { window.refuses = ""; });
await page.focus("#again");
await page.keyboard.press("Space");
await until(page, () => document.activeElement.id === "in" && document.getElementById("preview").videoWidth);
await fits("look");
assert.deepEqual(await walk(), ["cover", "leave", "in", "mirror"]);
await page.focus("#in");
await page.keyboard.press("Enter");

await until(page, () => document.body.dataset.remote === "yes");
await fits("live");
assert.deepEqual(await walk(), ["cover", "talk", "leave", "options"]);
// In no language a word of theirs pushes one of them out of its row.
for (const language of await page.evaluate(() => Array.from(document.querySelector(".language").options, ({ value }) => value))) {
  await speak(language);
  for (const width of [390, 360]) {
    await page.setViewportSize({ width, height: 780 });
    const { cover, talk, leave } = await page.evaluate(ways);
    assert.deepEqual([talk.y + talk.height, leave.y + leave.height], [cover.y + cover.height, cover.y + cover.height], `${language}: ${width}`);
    assert.ok(cover.width >= talk.width && cover.width > leave.width, `${language}: ${width}`);
  }
}
await page.setViewportSize(phone.viewport);
await speak("en");
const focused = () => page.evaluate(() => document.activeElement.id);
await page.focus("#talk");
await page.keyboard.press("Enter");
assert.equal(await focused(), "chat");
await fits("chat");
await page.click("#less");
assert.equal(await focused(), "talk");
await page.focus("#options");
await page.keyboard.press("Enter");
assert.equal(await focused(), "sheet");
await fits("more");
assert.deepEqual(await walk(), ["cover", "talk", "leave", "shut", "sound", "camera", "language"]);
// Closed by its own button, by Escape, beside it (whoever taps there is there), and by what takes its place.
for (const [shut, then] of [[() => page.click("#shut"), "options"], [() => page.keyboard.press("Escape"), "options"], [() => page.mouse.click(195, 200), ""]]) {
  await shut();
  assert.deepEqual([await focused(), await page.isVisible("#sheet")], [then, false]);
  await page.click("#options");
  assert.ok(await page.isVisible("#sheet"));
}
await page.click("#talk");
assert.deepEqual([await page.isVisible("#sheet"), await page.isVisible("#chat")], [false, true]);
await page.click("#talk");
assert.deepEqual([await focused(), await page.isVisible("#chat"), await page.isVisible("#options")], ["talk", false, true]);
console.log("end it");
await until(page, () => document.body.dataset.state === "ended");
await fits("over");
await forgotten(context, base);
await browser.close();
