// Chromium with its fake camera, and waiting for what a page becomes.
import { createRequire } from "node:module";

const require = createRequire(new URL("../../../tests/browser/", import.meta.url));
const { chromium } = require("playwright-core");

export const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
});

export const phone = { viewport: { width: 390, height: 844 }, permissions: ["camera", "microphone"] };

// From the code to the call, as a person goes.
export async function enter(page, code) {
  await page.fill("#code", code);
  for (const button of ["#go", "#on", "#in"]) await page.click(button);
}

// The answer that has it forgotten may come after the page has gone.
export async function forgotten(context, base) {
  for (const end = Date.now() + 20_000; Date.now() < end; await new Promise((done) => setTimeout(done, 40))) {
    if ((await context.cookies(base)).length === 0) return;
  }
  throw new Error("there is still something to come back with");
}

// Not waitForFunction: it needs `unsafe-eval`, which the page's policy refuses.
export async function until(page, what) {
  for (const end = Date.now() + 20_000; Date.now() < end; await new Promise((done) => setTimeout(done, 40))) {
    const value = await page.evaluate(what);
    if (value) return value;
  }
  throw new Error(`never came: ${what}; ${await page.evaluate(() => document.body.innerText)}`);
}
