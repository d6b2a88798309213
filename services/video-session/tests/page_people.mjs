// A caller's page and a helper's, in Chromium: node page_people.mjs BASE CODE HELPERS_CODE [FOLDER FOR PICTURES]
import assert from "node:assert/strict";
import { enter, launch, phone, until } from "./chromium.mjs";

const [base, code, helpersCode, pictures] = process.argv.slice(2);
const browser = await launch();

async function join(code) {
  const page = await (await browser.newContext(phone)).newPage();
  page.setDefaultTimeout(20_000);
  page.on("pageerror", (error) => { throw error; });
  await page.goto(base);
  await enter(page, code);
  await until(page, () => document.body.dataset.state === "live");
  return page;
}
const picture = (page, name) => (pictures ? page.screenshot({ path: `${pictures}/${name}.png` }) : null);
const says = (page, id, text) => until(page, `document.getElementById("${id}").textContent === "${text}"`);
// The one in front, and so many beside it: all of them move.
const sees = (page, others) => until(page, `document.body.dataset.remote === "yes"
  && document.querySelectorAll("#more video").length === ${others}
  && Array.from(document.querySelectorAll("#more video")).every((video) => video.videoWidth > 0 && video.currentTime > 0.5)`);

const caller = await join(code);
await sees(caller, 0);
await says(caller, "company", "This call is being recorded. Someone is listening in.");

const helper = await join(helpersCode);
await says(helper, "status", "You’ll be let in soon. Please wait…");
await says(helper, "company", "");
assert.equal((await helper.evaluate(() => window.callStats())).framesEncoded, 0, "nothing goes out before");
await picture(helper, "waiting");
console.log("waiting");

await says(helper, "status", "");
await sees(helper, 1);
await sees(caller, 1);
await says(caller, "company", "This call is being recorded. A helper is here. Someone is listening in.");
await says(helper, "company", "This call is being recorded. Someone is listening in.");
await picture(caller, "with-a-helper");
await picture(helper, "helping");
console.log("all see all");

await until(helper, () => document.body.dataset.state === "ended");
await says(caller, "company", "This call is being recorded. Someone is listening in.");
await sees(caller, 0);
await browser.close();
