// More than one tab, and the browser's own buttons, in Chromium: node page_tabs.mjs BASE CODE [FOLDER FOR PICTURES]
import assert from "node:assert/strict";
import { enter, forgotten, launch, phone, until } from "./chromium.mjs";

const [base, code, pictures] = process.argv.slice(2);
const browser = await launch();
const context = await browser.newContext(phone);
const complaints = [];

async function tab() {
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on("pageerror", (error) => complaints.push(String(error)));
  return page;
}

const isLive = (page) => until(page, () => document.body.dataset.state === "live" && document.body.dataset.remote === "yes");
const moves = async (page) => {
  const then = await page.evaluate(() => window.callStats());
  await until(page, `window.callStats().then((now) => now && now.framesEncoded > ${then.framesEncoded + 30})`);
};
// All that there is to read and to press.
const shown = (page) => page.evaluate(() => [document.title, document.body.innerText,
  Array.from(document.querySelectorAll("video")).filter((one) => one.srcObject).length, window.location.href].join("|"));
const atTheDoor = async (page) => {
  await until(page, () => document.body.dataset.state === "idle" && !document.getElementById("join").hidden);
  return shown(page);
};
const answered = (page, method) => page.waitForResponse((answer) => answer.request().method() === method && answer.url().endsWith("/rejoin"));

// Whoever opens it sees a field for a code, and so does whoever opens it beside a call.
const first = await tab();
await first.goto(base);
const door = await atTheDoor(first);
await enter(first, code);
await isLive(first);

const second = await tab();
const told = answered(second, "DELETE");
await second.goto(base);
assert.equal(await atTheDoor(second), door);
await (await told).finished();
assert.equal((await context.cookies()).length, 1, "the first one comes back by it");
await second.reload();
assert.equal(await atTheDoor(second), door, "reloaded, it shows nothing either");
await moves(first);

// They type their code again: it says where the call is, and goes on here if they want.
await enter(second, code);
await until(second, () => document.getElementById("way").textContent.includes("another tab"));
const choices = () => Array.from(document.querySelectorAll("#ways button"), (one) => one.getClientRects().length && one.id).filter(Boolean);
assert.deepEqual(await second.evaluate(choices), ["here"]);
if (pictures) await second.screenshot({ path: `${pictures}/another-tab.png` });
await moves(first);
await second.click("#here");
await isLive(second);
await until(first, () => document.body.dataset.state === "ended");
await first.close();
await moves(second);

// A reload is back by itself, with the first one's end on its way.
await second.reload();
await isLive(second);

// A tab that was duplicated takes nothing by itself, and goes on with the call once the other one has crashed.
const third = await tab();
await third.route("**/rejoin", (route) => (route.request().method() === "DELETE" ? route.abort() : route.continue()));
await third.goto(base);
await atTheDoor(third);
await third.reload();
await until(third, () => document.getElementById("way").textContent.includes("another tab") && !document.getElementById("here").hidden);
await moves(second);
const devtools = await context.newCDPSession(second);
const crashed = second.waitForEvent("crash");
devtools.send("Page.crash").catch(() => {});
await crashed;
await isLive(third);
await moves(third);
await third.unroute("**/rejoin");

// Back, and forward again: no call, and no way to it.
await third.goBack();
assert.equal(third.url(), "about:blank");
await third.goForward();
assert.equal(await atTheDoor(third), door);
await forgotten(context, base);
await third.reload();
assert.equal(await atTheDoor(third), door);
assert.deepEqual(complaints, []);
await browser.close();
