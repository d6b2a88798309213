// A caller covers the call, in Chromium: node page_cover.mjs BASE CODE [FOLDER FOR PICTURES]. Says what it has come to, and waits for a
// line before it goes on.
import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { enter, launch, phone, until as becomes } from "./chromium.mjs";
import { misfits, violations } from "./usable.mjs";

const [base, code, pictures] = process.argv.slice(2);
const input = createInterface({ input: process.stdin });
const answers = input[Symbol.asyncIterator]();
const tell = async (what) => {
  console.log(what);
  await answers.next();
};

const browser = await launch();
const context = await browser.newContext(phone);
await context.addInitScript(() => {
  // How many keep the screen lit.
  window.lit = 0;
  // Without a screen Chromium gives none.
  navigator.wakeLock.request = async () => {
    window.lit += 1;
    return { release: async () => { window.lit -= 1; } };
  };
  window.opened = [];
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await open(wanted);
    window.opened.push(...stream.getTracks());
    return stream;
  };
});
const page = await context.newPage();
page.setDefaultTimeout(20_000);
const complaints = [];
page.on("pageerror", (error) => complaints.push(String(error)));
const until = (what) => becomes(page, what).catch((error) => { throw new Error(`${error.message}; ${complaints}`); });
const picture = (name) => (pictures ? page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true }) : null);
const read = () => page.evaluate(() => document.body.innerText);
const isCovered = () => page.evaluate(() => document.body.dataset.front === "yes");
const moves = async () => {
  const then = await page.evaluate(() => window.callStats());
  for (const what of ["framesEncoded", "framesDecoded", "audioSent", "audioReceived"]) {
    await until(`window.callStats().then((now) => now && now.${what} > ${then[what]} + 30)`);
  }
};
// What is left of the call to see or hear, and of our own to be seen by.
const remains = () => page.evaluate(() => ({
  title: document.title,
  seen: Array.from(document.querySelectorAll("#other, #own, #more video")).filter((video) => video.srcObject).length,
  live: window.opened.filter((track) => track.readyState === "live").length,
}));
const hold = async (press, release) => {
  await press();
  await until(() => document.body.dataset.front === "no");
  await release();
};
const heading = async () => {
  const { x, y } = await page.locator("#front h1").boundingBox();
  return [x + 20, y + 12];
};
const holdHeading = async () => {
  await page.mouse.move(...await heading());
  await hold(() => page.mouse.down(), () => page.mouse.up());
};
// Anybody can use it, in small and with text twice as large, too: who looks closer finds nothing strange.
const usable = async (name) => {
  for (const [width, height, text] of [[390, 844, 100], [320, 568, 200], [844, 390, 100]]) {
    await page.setViewportSize({ width, height });
    await page.evaluate((text) => { document.documentElement.style.fontSize = `${text}%`; }, text);
    assert.deepEqual([await violations(page), await misfits(page)], [[], []], `${name} ${width} ${text}`);
  }
  await page.setViewportSize(phone.viewport);
  await page.evaluate(() => { document.documentElement.style.fontSize = ""; window.scrollTo(0, 0); });
  await picture(name);
};
const shift = async (times) => {
  for (let time = 0; time < times; time += 1) await page.keyboard.press("Shift");
};

await page.goto(base);
await until(() => document.body.dataset.state === "idle");
// Before any call, too.
await shift(3);
assert.ok(await isCovered());
await holdHeading();
await enter(page, code);
await until(() => document.body.dataset.state === "live" && document.body.dataset.remote === "yes");
await moves();
await until(() => window.lit === 1);
await picture("cover-button");

// No network at all: it is covered all the same, within the tap.
await context.setOffline(true);
await page.evaluate(() => document.getElementById("cover").click());
assert.deepEqual(await remains(), { title: "Lemon drizzle cake", seen: 0, live: 0 });
assert.match(await read(), /^127\.0\.0\.1\s+Lemon drizzle cake/);
assert.doesNotMatch(await read(), /Leave|Hide|call|Recording/);
await until(() => window.lit === 0);
assert.equal(await page.evaluate(() => history.length), 2, "no entry more");
await usable("recipe");

// A curious finger finds a recipe that works, and nothing else.
await page.click('#front button[aria-label="More slices"]');
assert.match(await read(), /For 15 slices[^]*300 g soft butter[^]*Eggs: 6/);
for (let less = 0; less < 9; less += 1) await page.click('#front button[aria-label="Fewer slices"]');
assert.match(await read(), /For 5 slices[^]*100 g soft butter[^]*Lemons: 1/);
await page.check("#front li input >> nth=0");
await page.mouse.click(...await heading());
await page.mouse.dblclick(...await heading());
await page.click("#front p >> nth=0");
await page.focus("#front h1");
for (const key of ["Enter", "Escape", " ", "a", "Tab"]) await page.keyboard.press(key);
// Let go of before its time, again and again; and then for longer than it would take.
await page.mouse.move(...await heading());
for (let time = 0; time < 20; time += 1) {
  await page.mouse.down();
  await page.mouse.up();
}
await page.evaluate(() => new Promise((done) => setTimeout(done, 1600)));
assert.ok(await isCovered());

await context.setOffline(false);
await tell("covered");

// Reloaded, it is covered still, and shows nothing of a call on the way.
await page.addInitScript(() => {
  window.shown = new Set();
  new MutationObserver(() => {
    if (document.body && getComputedStyle(document.body).visibility === "visible") window.shown.add(document.body.innerText);
  }).observe(document, { attributes: true, childList: true, subtree: true });
});
await page.reload();
await until(() => document.title === "The tea-break quiz");
assert.doesNotMatch((await page.evaluate(() => Array.from(window.shown))).join("\n"), /code|Join|Leave|Hide/);
assert.deepEqual(await remains(), { title: "The tea-break quiz", seen: 0, live: 0 });
await page.click('#front button:text("Mercury")');
assert.match(await read(), /goes round in 88 days/);
await page.click('#front button:text("Ten")');
assert.match(await read(), /Insects have six/);
await usable("quiz");
await holdHeading();
await until(() => document.body.dataset.state === "live" && document.body.dataset.remote === "yes");
assert.equal(await page.title(), "Video call");
await moves();
await tell("back");

// By the keyboard alone, there and back.
await until(() => window.lit === 1);
await shift(2);
await page.keyboard.press("a");
await shift(2);
assert.ok(!(await isCovered()), "three in a row");
await shift(1);
assert.ok(await isCovered());
await tell("covered");
await page.focus("#front h1");
await hold(() => page.keyboard.down(" "), () => page.keyboard.up(" "));
await until(() => document.body.dataset.remote === "yes");
await moves();
await tell("back");

// Reloaded while it isn't covered, it knows of the third.
await page.reload();
await until(() => document.body.dataset.remote === "yes");
await page.click("#cover");
assert.equal((await remains()).title, "Where is my parcel?");
await page.fill("#front input", "AB 12");
await page.keyboard.press("Enter");
assert.match(await read(), /has 8 to 16 letters and numbers/);
const course = async (number) => {
  await page.fill("#front input", number);
  await page.keyboard.press("Enter");
  return (await page.locator("#front li").allInnerTexts()).map((line) => line.split("\n")[0]);
};
const first = await course("JD00 0212 3456");
assert.ok(first.length >= 2 && first.at(-1) === "The sender has told us about your parcel", first.join());
assert.notDeepEqual(await course("ZZ99887766"), first);
assert.deepEqual(await course("jd000212-3456"), first, "always the same one");
await usable("parcel");
await holdHeading();
await until(() => document.body.dataset.remote === "yes");
await moves();
assert.deepEqual(complaints, []);
await browser.close();
input.close();
process.stdin.destroy();
