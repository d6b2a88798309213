// What becomes of a link that was sent, in Chromium: node page_link.mjs LINK [FOLDER FOR PICTURES]
import assert from "node:assert/strict";
import { forgotten, launch, phone, until } from "./chromium.mjs";

const [link, pictures] = process.argv.slice(2);
const [base, key] = link.split("/#");
const browser = await launch();
const asked = [];

async function follow(address) {
  const context = await browser.newContext(phone);
  await context.route("https://www.bbc.co.uk/**", (route) => route.fulfill({ body: "elsewhere" }));
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on("request", (request) => asked.push(request.url(), JSON.stringify(request.headers())));
  await page.goto(address);
  return page;
}

const knows = (page) => until(page, () => document.getElementById("join").hidden && !document.getElementById("know").hidden);
const isLive = (page) => until(page, () => document.body.dataset.state === "live" && document.body.dataset.remote === "yes");
const goIn = async (page) => { for (const button of ["#on", "#in"]) await page.click(button); };

// Looked at, by whoever it was, and looked at again: that spends nothing.
await (await follow(link)).context().close();
const page = await follow(link);
await knows(page);
await page.reload();
await knows(page);
if (pictures) await page.screenshot({ path: `${pictures}/link.png` });
await goIn(page);
await isLive(page);
assert.equal(page.url(), link, "each change of it would be one more visit");

// Used. On another phone it leads to where a code can be typed, and another link is tried in the tab that is there.
const other = await follow(link);
const problem = (words) => until(other, `!document.getElementById("join").hidden && document.getElementById("problem").textContent.includes(${JSON.stringify(words)})`);
await knows(other);
await goIn(other);
await problem("used already");
await other.goto(`${base}/#${"0".repeat(26)}`);
await knows(other);
await goIn(other);
await problem("isn’t right");
await other.context().close();

// Reloaded, the page is back by what the server remembers; the link in its address is nothing to it.
await page.reload();
await isLive(page);
assert.ok(asked.length > 20);
assert.deepEqual(asked.filter((said) => said.includes(key)), [], "in no address and no header");
await page.click("#leave");
await page.waitForURL("https://www.bbc.co.uk/weather");
await forgotten(page.context(), base);
await browser.close();
