// A call-back is agreed from the queue by the keyboard alone, and cancelled after a question.
import { expect, test } from "vitest";
import { outOfView, pictures, scrolls, tabTo, until, violations } from "./officer";
import { asked, desk, fill, page, seat, sit } from "./seat";
import { CALL, SERGEANT } from "./stand-in";
import * as states from "./states";

seat();

/** Every field, as a page holds it. */
const held = () => page.evaluate<string[]>('[...document.querySelectorAll("input, option, p, li, td, dd")].filter((one) => /heron|900123|sister/.test(one.value || one.textContent)).map((one) => one.id || one.textContent)');
const ALL = ["#later-from", "#later-until", "#later-number", "#later-language", "#later-word", "#later-who", "#later-go", "#later-leave"];

test("a call-back is agreed and another cancelled", async () => {
  await sit();
  desk.desk({ ...states.waiting(), callbacks: states.callbacks() });
  await until(page, 'document.querySelectorAll("#queue-rows tr").length === 4');
  expect(await outOfView(page, ["#callback-rows [data-cancel]", "#queue-rows tr:last-child button", "#ready"])).toEqual([]);
  await page.evaluate('document.querySelector("#queue-rows button").focus()');
  await page.keyboard.press("Enter");
  await until(page, 'document.querySelector("#later").open');
  await pictures(page, "later");
  expect(await outOfView(page, ALL)).toEqual([]);
  expect(await violations(page)).toEqual([]);
  await tabTo(page, "later-go");
  await page.keyboard.press("Enter");
  await until(page, 'document.activeElement.id === "later-from" && document.querySelector("#later-who-fault").textContent !== ""');
  await pictures(page, "later-faults");
  expect(await outOfView(page, [...ALL, "#later-from-fault", "#later-who-fault"])).toEqual([]);
  expect(await violations(page)).toEqual([]);

  await fill("#later-from", "2031-07-01T18:00");
  await fill("#later-until", "2031-07-01T20:00");
  for (const [id, words] of [["later-number", "07700 900123"], ["later-word", "blue heron"], ["later-who", "Her sister"]] as const) {
    await tabTo(page, id);
    await page.keyboard.type(words);
  }
  await page.keyboard.press("Enter");
  await until(page, 'document.querySelector("#later-from-fault").textContent === "That is more than 14 days ahead."');
  expect(asked("scheduleCallback")).toEqual([]);
  const day = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  await fill("#later-from", `${day}T18:00`);
  await fill("#later-until", `${day}T20:00`);
  desk.refused.scheduleCallback = "OUTSIDE_OPENING_HOURS";
  await page.keyboard.press("Enter");
  await until(page, 'document.querySelector("#later-from-fault").textContent === "The desk is not open for all of that time."');
  delete desk.refused.scheduleCallback;
  await page.keyboard.press("Enter");
  await until(page, '!document.querySelector("#later").open && document.querySelector("#later-said").textContent.startsWith("The call-back is agreed")');
  expect(asked("scheduleCallback").map(({ callId, number, language, officerId }) => [callId, number, language, officerId]).at(-1)).toEqual([CALL, "+447700900123", "ar", "pc-okafor"]);
  expect(await held(), "nothing of it stays").toEqual([]);

  await page.evaluate('document.querySelector("#callback-rows [data-cancel=b3]").focus()');
  await page.keyboard.press("Enter");
  await until(page, 'document.activeElement.id === "sure-stay"');
  await pictures(page, "callback-cancel");
  expect(await violations(page)).toEqual([]);
  await tabTo(page, "sure-go", "Shift+Tab");
  await page.keyboard.press("Enter");
  await expect.poll(() => asked("cancelCallback").map(({ callbackId }) => callbackId)).toEqual(["b3"]);
  expect(await scrolls(page)).toBe(false);
}, 60_000);

test("a sergeant agrees one instead of giving the call away, and Escape leaves nothing of it", async () => {
  desk.officer = SERGEANT;
  await sit();
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
  expect(await held()).toEqual([]);
}, 60_000);
