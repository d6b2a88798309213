// @vitest-environment node
// A caller is rung back, by the keyboard alone, and is in a call when they are reached.
import { afterAll, beforeAll, expect, test } from "vitest";
import { CallbackOutcome } from "../src/gen/alcove/intake/v1/service_pb";
import { type Browser, launch, open, outOfView, picture, scrolls, tabTo, until, violations } from "./officer";
import { StandIn } from "./stand-in";
import * as states from "./states";

let browser: Browser;

beforeAll(async () => {
  browser = await launch();
}, 60_000);
afterAll(() => browser.close());

for (const theme of ["light", "dark"] as const) {
  test(`a call-back is taken, rung and written down, ${theme}`, async () => {
    const desk = new StandIn();
    const suffix = theme === "dark" ? "-dark" : "";
    const page = await open(browser, await desk.start(), theme);
    desk.desk({ ...states.waiting(), callbacks: states.callbacks() });
    await page.waitForSelector("#callbacks", { state: "visible" });
    await picture(page, `callbacks${suffix}`);
    expect(await outOfView(page, ["#callbacks", "#callback-rows button", "#queue", "#presence", "#ready"])).toEqual([]);
    expect(await violations(page)).toEqual([]);

    await page.evaluate('document.querySelector("#callback-rows button").focus()');
    await page.keyboard.press("Enter");
    await until(page, 'document.querySelector("#ringing").open');
    await picture(page, `ringing${suffix}`);
    expect(await outOfView(page, ["#ringing-number", ".ringing-word", "#ringing-facts", "#outcome-1", "#outcome-5", "#ringing-write"])).toEqual([]);
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press("Escape");
    expect(await page.evaluate('document.querySelector("#ringing").open'), "it is left by saying how it went").toBe(true);
    await tabTo(page, "outcome-1");
    await page.keyboard.press("Space");
    await tabTo(page, "ringing-write");
    desk.session(states.live());
    await page.keyboard.press("Enter");
    await until(page, 'document.body.dataset.view === "call" && !document.querySelector("#ringing").open');
    expect(desk.asked.filter(({ method }) => method.includes("Callback")).map(({ method, request }) => [method, request.callbackId, request.outcome])).toEqual([
      ["takeCallback", "b1", undefined],
      ["recordCallbackAttempt", "b1", CallbackOutcome.REACHED],
    ]);
    expect(await page.evaluate('document.body.textContent.includes("blue heron")'), "nothing of it stays").toBe(false);
    expect(await scrolls(page)).toBe(false);
    await page.context().close();
    desk.stop();
  }, 60_000);
}
