// What is in the way of a camera, and the way on from each, in Chromium: node page_ways.mjs BASE CODE [FOLDER FOR PICTURES]
import assert from "node:assert/strict";
import { forgotten, launch, phone, until } from "./chromium.mjs";

const [base, code, pictures] = process.argv.slice(2);
const browser = await launch();
const IN_AN_APP = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/156.0 Mobile Safari/537.36 [FBAN/FB4A;FBAV/500]";

// A phone whose camera and microphone are refused with the error that `refuses` names for what is asked for: "video", "audio".
async function open(refuses, more = {}) {
  const context = await browser.newContext({ ...phone, ...more });
  await context.addInitScript((refuses) => {
    // A page without an address has none.
    if (!navigator.mediaDevices) return;
    window.refuses = refuses;
    if (refuses === "old") return Object.defineProperty(navigator, "mediaDevices", { value: undefined });
    const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = (asked) => {
      const name = window.refuses[asked.video ? "video" : "audio"];
      return name ? Promise.reject(new DOMException("", name)) : real(asked);
    };
  }, refuses);
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on("pageerror", (error) => { throw error; });
  page.joins = 0;
  page.on("request", (request) => { page.joins += new URL(request.url()).pathname === "/join" ? 1 : 0; });
  await page.goto(base);
  await page.fill("#code", code);
  await page.click("#go");
  if (refuses !== "old") await page.click("#on");
  return page;
}

const sees = (page) => page.evaluate(() => ["way", "address", "again", "unseen", "write"].filter((id) => document.getElementById(id).offsetParent));
const picture = (page, name) => (pictures ? page.screenshot({ path: `${pictures}/${name}.png` }) : null);

const denied = { video: "NotAllowedError", audio: "NotAllowedError" };
const cases = [
  ["denied", denied, {}, "may not use the camera", ["way", "again", "unseen", "write"]],
  ["busy", { video: "NotReadableError" }, {}, "Another app", ["way", "again", "unseen", "write"]],
  ["missing", { video: "NotFoundError" }, {}, "No camera was found", ["way", "unseen", "write"]],
  ["strange", { video: "TypeError" }, {}, "That didn’t work", ["way", "again", "unseen", "write"]],
  ["in-app", denied, { userAgent: IN_AN_APP }, "doesn’t work in this app", ["way", "address", "write"]],
  ["old", "old", {}, "doesn’t work in this app", ["way", "address"]],
];
for (const [name, refuses, more, words, shown] of cases) {
  const page = await open(refuses, more);
  await until(page, `document.getElementById("way").textContent.includes(${JSON.stringify(words)})`);
  assert.deepEqual(await sees(page), shown, name);
  assert.equal(page.joins, 0, "the code isn't spent");
  assert.ok(!(await page.evaluate(() => document.body.innerText)).includes("Error"), name);
  await picture(page, `ways-${name}`);
  if (shown.includes("address")) assert.equal(await page.textContent("#address"), new URL(base).host);
  await page.context().close();
}
for (const language of ["ur", "cy"]) {
  const page = await open(denied, { locale: language });
  await until(page, `document.documentElement.lang === "${language}" && document.getElementById("way").textContent`);
  await picture(page, `ways-denied-${language}`);
  await page.context().close();
}

// A link that was followed in such an app: the whole of it is there to be taken elsewhere, and still good.
const link = "7".repeat(26);
for (const userAgent of [IN_AN_APP, "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Instagram 300.0"]) {
  const inApp = await (await browser.newContext({ ...phone, userAgent })).newPage();
  await inApp.addInitScript(() => {
    if (navigator.mediaDevices) navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "NotAllowedError"));
  });
  const joins = [];
  inApp.on("request", (request) => { if (new URL(request.url()).pathname === "/join") joins.push(request); });
  await inApp.goto(`${base}/#${link}`);
  await inApp.click("#on");
  await until(inApp, () => document.getElementById("way").textContent.includes("doesn’t work in this app"));
  assert.deepEqual([await inApp.textContent("#address"), joins.length], [`${new URL(base).host}/#${link}`, 0]);
  assert.equal(await inApp.evaluate(() => getComputedStyle(document.getElementById("address")).userSelect), "all", "one press takes it");
  await inApp.context().close();
}

// No microphone either: writing, or back to the phone.
const deaf = await open({ video: "NotFoundError", audio: "NotFoundError" });
await deaf.click("#unseen");
await until(deaf, () => document.getElementById("way").textContent.startsWith("No microphone"));
assert.deepEqual(await sees(deaf), ["way", "write"]);
await deaf.context().close();

// Refused at first, allowed in the settings, tried again; and then with sound only, by the same code, which nobody has to type anew.
const page = await open({ video: "NotAllowedError" });
await until(page, () => document.getElementById("way").textContent);
await page.evaluate(() => { window.refuses = {}; });
await page.click("#again");
await until(page, () => document.getElementById("preview").videoWidth > 0);
await page.evaluate(() => document.getElementById("preview").srcObject.getTracks().forEach((track) => track.stop()));
const quiet = await open({ video: "NotFoundError" });
await quiet.click("#unseen");
await until(quiet, () => document.body.dataset.picture === "off" && !document.getElementById("in").disabled);
assert.equal(quiet.joins, 0);
await quiet.click("#in");
await until(quiet, () => document.body.dataset.state === "live");
assert.equal(quiet.joins, 1);
await until(quiet, async () => (await window.callStats()).audioSent > 20);

// A phone call takes the microphone, and gives it back.
await quiet.evaluate(() => {
  window.refuses = { audio: "NotReadableError" };
  const [track] = document.getElementById("own").srcObject.getAudioTracks();
  track.stop();
  track.dispatchEvent(new Event("ended"));
});
await until(quiet, () => document.getElementById("notice").textContent.startsWith("Nobody hears you"));
await picture(quiet, "taken");
const { audioSent } = await quiet.evaluate(() => window.callStats());
await quiet.evaluate(() => { window.refuses = {}; });
await until(quiet, () => document.getElementById("notice").textContent.startsWith("Your picture is off"));
await until(quiet, `window.callStats().then((now) => now.audioSent > ${audioSent + 20})`);

// Reloaded where even sound is refused, it says so, and comes back when it is tried again.
await quiet.evaluate(() => { window.refuses = {}; });
await quiet.context().addInitScript(() => { window.refuses = { audio: "NotAllowedError" }; });
await quiet.reload();
await until(quiet, () => document.getElementById("way").textContent.includes("may not use"));
await quiet.evaluate(() => { window.refuses = {}; });
await quiet.click("#again");
await until(quiet, () => document.body.dataset.state === "live");
await until(quiet, async () => (await window.callStats()).audioSent > 20);

// Come back to by the back button, as when a browser restores its tabs, it may be in other hands: it forgets what let it in.
await quiet.goto("about:blank");
await quiet.goBack();
await until(quiet, () => performance.getEntriesByType("navigation")[0].type === "back_forward" && !document.getElementById("join").hidden);
await forgotten(quiet.context(), base);
await browser.close();
