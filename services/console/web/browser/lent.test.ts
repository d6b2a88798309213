// An officer is lent to another force: goes to its desk, takes a call there, and is home again when the loan is over.
import { expect, test } from "vitest";
import { Presence } from "../src/gen/alcove/transfer/v1/service_pb";
import { outOfView, pictures, scrolls, tabTo, until, violations } from "./officer";
import { asked, desk, page, seat, sit } from "./seat";
import { CALL } from "./stand-in";
import * as states from "./states";

seat();

/** At which desk this was asked for, and as whom. */
const placed = (method: string) => asked(method).map(({ forceId, officerId }) => [forceId, officerId]);

test("lent to another force, by the keyboard alone", async () => {
  await sit();
  desk.desk({ ...states.waiting(), mayGoTo: states.mayGoTo() });
  await page.waitForSelector("#may-go", { state: "visible" });
  await pictures(page, "may-go");
  expect(await outOfView(page, ["#may-go button", "#queue", "#presence", "#ready"])).toEqual([]);
  expect(await violations(page)).toEqual([]);

  desk.desk({ presence: Presence.FREE }, "kent");
  await page.evaluate('document.querySelector("#may-go button").focus()');
  await page.keyboard.press("Enter");
  await until(page, 'document.querySelector("#queue-title").textContent.startsWith("You are offered calls here")');
  expect(placed("setPresence")).toEqual([["kent", "pc-okafor@wmp"]]);
  await pictures(page, "lent");
  expect(await outOfView(page, ["#place-name", "#place-loan", "#place-back", "#presence", "#ready"])).toEqual([]);
  expect(await page.evaluate('document.querySelector(".ways").checkVisibility()'), "nothing else is lent").toBe(false);
  expect(await violations(page)).toEqual([]);

  desk.session(states.live());
  desk.desk({ ...states.offered(), queue: [] }, "kent");
  await page.waitForSelector("#offer", { state: "visible" });
  await page.keyboard.press("F2");
  await page.waitForSelector("#call[data-state=live]");
  desk.desk({ currentCallId: CALL }, "kent");
  desk.shut.add("kent");
  expect([placed("acceptOffer"), placed("joinSession")]).toEqual([[["kent", "pc-okafor@wmp"]], [["kent", "pc-okafor@wmp"]]]);
  await pictures(page, "lent-call");
  expect(await outOfView(page, ["#place-name", "#end", "#mute", "#caller"])).toEqual([]);
  expect(await scrolls(page)).toBe(false);
  expect(await violations(page)).toEqual([]);

  desk.desk({ ...states.waiting(), atForceId: "kent" });
  desk.forget("wmp");
  await page.click("#end");
  await tabTo(page, "confirm-end");
  await page.keyboard.press("Enter");
  // Its heart is refused there before long.
  await until(page, 'document.querySelector("#place").hidden && document.querySelector("#missed").textContent.includes("the loan is over")');
  await until(page, 'document.querySelectorAll("#queue-rows tr").length === 4');
  await expect.poll(() => placed("setPresence").at(-1)).toEqual(["wmp", "pc-okafor"]);
  await pictures(page, "lent-over");
  expect(await violations(page)).toEqual([]);
}, 60_000);
