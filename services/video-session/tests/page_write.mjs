// A caller who can only write, in Chromium with a microphone that nobody may open: node page_write.mjs BASE CODE [FOLDER FOR PICTURES]
import assert from "node:assert/strict";
import { launch, phone, until as becomes } from "./chromium.mjs";

const [base, code, pictures] = process.argv.slice(2);
const browser = await launch();
const context = await browser.newContext(phone);
await context.addInitScript(() => {
  if (!navigator.mediaDevices) return;
  window.asked = 0;
  window.refuses = true;
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (wanted) => {
    window.asked += 1;
    return window.refuses ? Promise.reject(new DOMException("", "NotAllowedError")) : real(wanted);
  };
});
const page = await context.newPage();
page.setDefaultTimeout(20_000);
page.on("pageerror", (error) => { throw error; });
const until = (what) => becomes(page, what);
const picture = (name) => (pictures ? page.screenshot({ path: `${pictures}/${name}.png` }) : null);
const asked = () => page.evaluate(() => window.asked);
const lines = () => page.evaluate(() => Array.from(document.querySelectorAll("#lines .line"), (line) => line.textContent));

await page.goto(base);
await page.fill("#code", code);
for (const button of ["#go", "#mute", "#in"]) await page.click(button);
await until(() => document.body.dataset.state === "live" && !document.getElementById("chat").hidden);
await until(async () => { const now = await window.callStats(); return now && now.audioSent > 20 && now.framesDecoded > 20; });
assert.equal(await asked(), 0, "nothing is asked for");
await until(() => document.querySelectorAll("#lines .line").length === 1);
assert.deepEqual(await lines(), ["I can only write"]);
await page.fill("#text", "The back door is open");
await page.click("#send");
await until(() => document.querySelectorAll("#lines .line").length === 2);
await picture("only-writes");

// What they say is heard by nobody before it is wanted.
const isHeard = () => page.evaluate(() => !document.getElementById("other").muted);
assert.ok(!(await isHeard()));
await page.click("#less");
assert.match(await page.textContent("#notice"), /^Your microphone is off/);
await picture("only-writes-behind");
await page.click("#play");
assert.ok(await isHeard() && !(await page.isVisible("#play")));

// Nor when the page is reloaded, and it is said once.
await page.reload();
await until(() => document.body.dataset.state === "live" && document.querySelectorAll("#lines .line").length === 2);
await until(async () => { const now = await window.callStats(); return now && now.framesDecoded > 20; });
assert.deepEqual([await asked(), await isHeard(), (await lines()).length], [0, false, 2]);

// A microphone after all: refused it says so, and then it is heard.
const turnSound = async () => {
  await page.click("#options");
  await page.click("#sound");
};
await page.click("#less");
await turnSound();
await until(() => document.getElementById("notice").textContent.startsWith("This page may not use"));
await page.evaluate(() => { window.refuses = false; });
await turnSound();
await until(() => document.body.dataset.sound === "on" && document.getElementById("notice").textContent.startsWith("Your picture is off"));
const { audioSent } = await page.evaluate(() => window.callStats());
await until(`window.callStats().then((now) => now.audioSent > ${audioSent + 20})`);

// A browser that kept the page in its memory, and shows it again: it is opened anew instead.
const anew = page.waitForEvent("load");
await page.evaluate(() => { window.isOld = true; window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })); });
await anew;
await until(() => !window.isOld && !document.getElementById("join").hidden);
await browser.close();
