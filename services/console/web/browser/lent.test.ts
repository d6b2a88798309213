// @vitest-environment node
// An officer is lent to another force: goes to its desk, takes a call there, and is home again when the loan is over.
import { afterAll, beforeAll, expect, test } from "vitest";
import { Presence } from "../src/gen/alcove/transfer/v1/service_pb";
import { type Browser, launch, open, outOfView, picture, scrolls, tabTo, until, violations } from "./officer";
import { CALL, StandIn } from "./stand-in";
import * as states from "./states";

let browser: Browser;

beforeAll(async () => {
  browser = await launch();
}, 60_000);
afterAll(() => browser.close());

for (const theme of ["light", "dark"] as const) {
  test(`lent to another force, by the keyboard alone, ${theme}`, async () => {
    const desk = new StandIn();
    const suffix = theme === "dark" ? "-dark" : "";
    const page = await open(browser, await desk.start(), theme);
    const asked = (method: string) => desk.asked.filter((one) => one.method === method).map(({ request }) => [request.forceId, request.officerId]);
    desk.desk({ ...states.waiting(), mayGoTo: states.mayGoTo() });
    await page.waitForSelector("#may-go", { state: "visible" });
    await picture(page, `may-go${suffix}`);
    expect(await outOfView(page, ["#may-go button", "#queue", "#presence", "#ready"])).toEqual([]);
    expect(await violations(page)).toEqual([]);

    desk.desk({ presence: Presence.FREE }, "kent");
    await page.evaluate('document.querySelector("#may-go button").focus()');
    await page.keyboard.press("Enter");
    await until(page, 'document.querySelector("#queue-title").textContent.startsWith("You are offered calls here")');
    expect(asked("setPresence")).toEqual([["kent", "pc-okafor@wmp"]]);
    await picture(page, `lent${suffix}`);
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
    expect([asked("acceptOffer"), asked("joinSession")]).toEqual([[["kent", "pc-okafor@wmp"]], [["kent", "pc-okafor@wmp"]]]);
    await picture(page, `lent-call${suffix}`);
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
    await expect.poll(() => asked("setPresence").at(-1)).toEqual(["wmp", "pc-okafor"]);
    await picture(page, `lent-over${suffix}`);
    expect(await violations(page)).toEqual([]);
    await page.context().close();
    desk.stop();
  }, 60_000);
}
