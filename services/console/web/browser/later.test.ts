// @vitest-environment node
// A call-back is agreed from the queue by the keyboard alone, and cancelled after a question.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Browser, launch, open, outOfView, type Page, picture, scrolls, tabTo, until, violations } from "./officer";
import { CALL, SERGEANT, StandIn } from "./stand-in";
import * as states from "./states";

let browser: Browser;

beforeAll(async () => {
  browser = await launch();
}, 60_000);
afterAll(() => browser.close());

const fill = (page: Page, id: string, value: string) => page.evaluate(`document.querySelector("#${id}").value = "${value}"`);
/** Every field, as a page holds it. */
const held = (page: Page) => page.evaluate<string[]>('[...document.querySelectorAll("input, option, p, li, td, dd")].filter((one) => /heron|900123|sister/.test(one.value || one.textContent)).map((one) => one.id || one.textContent)');
const ALL = ["#later-from", "#later-until", "#later-number", "#later-language", "#later-word", "#later-who", "#later-go", "#later-leave"];

for (const theme of ["light", "dark"] as const) {
  test(`a call-back is agreed and another cancelled, ${theme}`, async () => {
    const desk = new StandIn();
    const suffix = theme === "dark" ? "-dark" : "";
    const page = await open(browser, await desk.start(), theme);
    const asked = (method: string) => desk.asked.filter((one) => one.method === method).map(({ request }) => request);
    desk.desk({ ...states.waiting(), callbacks: states.callbacks() });
    await until(page, 'document.querySelectorAll("#queue-rows tr").length === 4');
    expect(await outOfView(page, ["#callback-rows [data-cancel]", "#queue-rows tr:last-child button", "#ready"])).toEqual([]);
    await page.evaluate('document.querySelector("#queue-rows button").focus()');
    await page.keyboard.press("Enter");
    await until(page, 'document.querySelector("#later").open');
    await picture(page, `later${suffix}`);
    expect(await outOfView(page, ALL)).toEqual([]);
    expect(await violations(page)).toEqual([]);
    await tabTo(page, "later-go");
    await page.keyboard.press("Enter");
    await until(page, 'document.activeElement.id === "later-from" && document.querySelector("#later-who-fault").textContent !== ""');
    await picture(page, `later-faults${suffix}`);
    expect(await outOfView(page, [...ALL, "#later-from-fault", "#later-who-fault"])).toEqual([]);
    expect(await violations(page)).toEqual([]);

    // The field's own way to be filled depends on the browser's language.
    await fill(page, "later-from", "2031-07-01T18:00");
    await fill(page, "later-until", "2031-07-01T20:00");
    for (const [id, words] of [["later-number", "07700 900123"], ["later-word", "blue heron"], ["later-who", "Her sister"]] as const) {
      await tabTo(page, id);
      await page.keyboard.type(words);
    }
    await page.keyboard.press("Enter");
    await until(page, 'document.querySelector("#later-from-fault").textContent === "That is more than 14 days ahead."');
    expect(asked("scheduleCallback")).toEqual([]);
    const day = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
    await fill(page, "later-from", `${day}T18:00`);
    await fill(page, "later-until", `${day}T20:00`);
    desk.refused.scheduleCallback = "OUTSIDE_OPENING_HOURS";
    await page.keyboard.press("Enter");
    await until(page, 'document.querySelector("#later-from-fault").textContent === "The desk is not open for all of that time."');
    delete desk.refused.scheduleCallback;
    await page.keyboard.press("Enter");
    await until(page, '!document.querySelector("#later").open && document.querySelector("#later-said").textContent.startsWith("The call-back is agreed")');
    expect(asked("scheduleCallback").map(({ callId, number, language, officerId }) => [callId, number, language, officerId]).at(-1)).toEqual([CALL, "+447700900123", "ar", "pc-okafor"]);
    expect(await held(page), "nothing of it stays").toEqual([]);

    await page.evaluate('document.querySelector("#callback-rows [data-cancel=b3]").focus()');
    await page.keyboard.press("Enter");
    await until(page, 'document.activeElement.id === "sure-stay"');
    await picture(page, `callback-cancel${suffix}`);
    expect(await violations(page)).toEqual([]);
    await tabTo(page, "sure-go", "Shift+Tab");
    await page.keyboard.press("Enter");
    await expect.poll(() => asked("cancelCallback").map(({ callbackId }) => callbackId)).toEqual(["b3"]);
    expect(await scrolls(page)).toBe(false);
    await page.context().close();
    desk.stop();
  }, 60_000);
}

test("a sergeant agrees one instead of giving the call away, and Escape leaves nothing of it", async () => {
  const desk = new StandIn();
  desk.officer = { ...SERGEANT, roles: ["sergeant"] };
  const page = await open(browser, await desk.start());
  desk.desk(states.watched());
  await until(page, 'document.querySelectorAll("#overview-rows tr").length === 40');
  await page.click("#officers [data-act=give]");
  expect(await page.evaluate('document.querySelector("#give-later").checkVisibility()'), "an officer has it").toBe(false);
  await page.keyboard.press("Escape");
  await page.click("#overview-rows [data-act=give]");
  await page.click("#give-later");
  await until(page, 'document.querySelector("#later").open');
  await tabTo(page, "later-word");
  await page.keyboard.type("blue heron");
  await page.keyboard.press("Escape");
  await until(page, '!document.querySelector("#later").open && document.querySelector("#later-word").value === ""');
  expect(await held(page)).toEqual([]);
  await page.context().close();
  desk.stop();
}, 60_000);
