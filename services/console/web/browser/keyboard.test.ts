// A whole call with no mouse: accepted, a chapter, a picture, a line written, ended.
import { expect, test } from "vitest";
import { faces, tabTo, until } from "./officer";
import { asked, desk, inCall, page, seat, sit } from "./seat";
import { CALL } from "./stand-in";
import * as states from "./states";

seat();

const at = (what: string) => `document.activeElement.matches(${JSON.stringify(what)})`;

test("a call from the offer to its end by the keyboard alone", async () => {
  await sit();
  desk.desk({});
  await until(page, 'document.body.dataset.view === "desk"');
  await tabTo(page, "presence");
  await page.keyboard.press("Enter");
  desk.session(states.live());
  desk.desk(states.offered());
  await until(page, at("#accept"));
  await page.keyboard.press("F4");
  expect(await page.evaluate(at("#reason")), "declining needs a reason, so the key goes there").toBe(true);
  await page.keyboard.press("F2");
  await until(page, 'document.body.dataset.view === "call"');
  expect(asked("acceptOffer").map((one) => one.callId)).toEqual([CALL]);
  desk.desk(states.inCall());
  await faces(page);

  await page.keyboard.press("F4");
  expect(await page.evaluate(at("[data-chapter='1']"))).toBe(true);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await until(page, 'document.querySelector("#chapter-said").textContent.endsWith("Account")');
  expect(asked("markChapter").map((one) => one.kind)).toEqual([2]);
  expect(await page.evaluate(at("[data-chapter='2']")), "whoever marks one is still there").toBe(true);

  await page.keyboard.press("F8");
  await until(page, 'document.querySelector("#tray li strong")?.textContent === "still-1"');
  expect(asked("captureStill").map((one) => one.participantId)).toEqual(["p-caller"]);

  await page.evaluate('document.querySelector("#tray [data-label]").focus()');
  await page.keyboard.press("Enter");
  await until(page, at("#label-injury"));
  await page.keyboard.press("Space");
  await tabTo(page, "region-head");
  for (let down = 0; down < 8; down++) await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await until(page, 'document.querySelector("#tray .tray-label").textContent === "injury, left forearm, from the front"');
  expect(asked("markChapter").at(-1)).toMatchObject({ kind: 5, note: "still-1: injury, left forearm, from the front" });

  await page.keyboard.press("F2");
  await page.keyboard.type("I am here");
  await page.keyboard.press("Enter");
  await until(page, 'document.querySelector("#chat-text").value === ""');
  expect(asked("sendChat").map((one) => one.what)).toEqual([{ case: "text", value: "I am here" }]);

  await page.keyboard.press("F9");
  await until(page, 'document.querySelector("#mute").getAttribute("aria-pressed") === "true"');

  // The most urgent answers are chosen already.
  await page.keyboard.press("F7");
  await page.keyboard.press("Enter");
  await until(page, 'document.querySelector("#timeline [data-kind=help]")');
  expect(asked("requestFastTrack").map((one) => [one.reason, one.risk])).toEqual([["DANGER", 3]]);

  await tabTo(page, "end", "Shift+Tab");
  await page.keyboard.press("Enter");
  await until(page, 'document.querySelector("#confirm").open');
  await tabTo(page, "confirm-end");
  await page.keyboard.press("Enter");
  await until(page, 'document.body.dataset.view === "after"');
  expect(asked("endSession").length).toBe(1);
}, 60_000);

test("a change of consent is written down with who heard it and how", async () => {
  await inCall(states.live());
  await page.waitForSelector("#consents li");
  await page.evaluate('document.querySelector("[data-kind=stills] button").focus()');
  await page.keyboard.press("Enter");
  await until(page, at("#consent-how"));
  await tabTo(page, "consent-write");
  await page.keyboard.press("Enter");
  await until(page, 'document.querySelector("#consent-said").textContent !== ""');
  const [said] = asked("withdrawConsent");
  expect([said!.callId, said!.kind, said!.how, said!.takenBy]).toEqual([CALL, 3, "Said so in the video call", "pc-okafor"]);
  await page.evaluate('document.querySelector("[data-kind=covered] button").click()');
  await page.evaluate('document.querySelector("#consent-write").click()');
  await until(page, 'document.querySelector("#consent-form").hidden');
  expect(asked("recordConsent").map((one) => (one.consents as { kind: number; given: boolean }[]).map(({ kind, given }) => [kind, given]))).toEqual([[[4, true]]]);
}, 60_000);

test("a call is given back to the control room by the keyboard alone, with a reason, and a refusal is said where it was asked", async () => {
  await inCall(states.live());
  await tabTo(page, "end", "Shift+Tab");
  await page.keyboard.press("Enter");
  await until(page, at("#confirm-stay"));
  await tabTo(page, "ending-done", "Shift+Tab");
  await page.keyboard.press("ArrowDown");
  await tabTo(page, "back-why");
  await page.keyboard.press("End");
  await tabTo(page, "back-words");
  await page.keyboard.press("Enter");
  expect(await page.evaluate(at("#back-words")), "not without a reason").toBe(true);
  await page.keyboard.type("No light where they are");
  desk.refuses = true;
  await page.keyboard.press("Enter");
  await until(page, 'document.querySelector("#confirm-trouble").textContent === "The call is over."');
  desk.refuses = false;
  await tabTo(page, "confirm-end");
  await page.keyboard.press("Enter");
  await until(page, 'document.body.dataset.view === "after"');
  expect(await page.evaluate('document.querySelector("#after-title").textContent')).toBe("Call given back to the control room");
  expect(desk.asked.filter(({ method }) => !["joinSession", "getAssessmentForm"].includes(method)).map(({ method, request }) => [method, request.callId, request.reason])).toEqual([["returnToControlRoom", CALL, "No light where they are"]]);
}, 60_000);

test("an offer is declined with a reason by the keyboard alone", async () => {
  await sit();
  desk.desk(states.offered());
  await until(page, at("#accept"));
  await page.keyboard.press("F4");
  await page.keyboard.press("ArrowDown");
  await tabTo(page, "decline");
  await page.keyboard.press("Enter");
  await until(page, 'document.querySelector("#offer").hidden');
  expect(desk.asked.map(({ method, request }) => [method, request.callId, request.reason])).toEqual([["declineOffer", CALL, "Conflict of interest"]]);
}, 60_000);
