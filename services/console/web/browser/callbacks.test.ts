// A caller is rung back, by the keyboard alone, and is in a call when they are reached.
import { expect, test } from "vitest";
import { CallbackOutcome } from "../src/gen/alcove/intake/v1/service_pb";
import { outOfView, pictures, scrolls, tabTo, until, violations } from "./officer";
import { desk, page, seat, sit } from "./seat";
import * as states from "./states";

seat();

test("a call-back is taken, rung and written down", async () => {
  await sit();
  desk.desk({ ...states.waiting(), callbacks: states.callbacks() });
  await page.waitForSelector("#callbacks", { state: "visible" });
  await pictures(page, "callbacks");
  expect(await outOfView(page, ["#callbacks", "#callback-rows button", "#queue", "#presence", "#ready"])).toEqual([]);
  expect(await violations(page)).toEqual([]);

  await page.evaluate('document.querySelector("#callback-rows button").focus()');
  await page.keyboard.press("Enter");
  await until(page, 'document.querySelector("#ringing").open');
  await pictures(page, "ringing");
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
}, 60_000);
