// What comes after a call's own day, or over a sign-in that ends: an application under Clare's Law stage by stage, what isn't sent yet, the
// case of a call of before, a caller who is rung again.
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ClockSchema, ClockState, ReferralState } from "../src/gen/alcove/referral/v1/help_pb";
import { faces, picture, pictures, until, violations } from "./officer";
import { packageAfterCall, packing } from "./packing";
import { asked, centre, choose, desk, focused, inCall, mayLeave, page, shown, sit, text, value } from "./seat";
import { CALL, SERGEANT } from "./stand-in";
import * as states from "./states";

packing();

test("what becomes of a Clare’s Law application is written down stage by stage, and what is refused is said why", async () => {
  desk.case.draft({ kind: "clares-law-ask", state: ReferralState.SENT, sentAt: states.ago(600), sentBy: "pc-okafor", blockedBy: [] });
  desk.case.tell();
  await inCall();
  await faces(page);
  await page.click("#tab-help");
  await page.waitForSelector("#r-0-stages-form");
  const state = () => text("#r-0-stages-state");
  const record = () => page.click("#r-0-stages-form [type=submit]");
  const type = async (part: string, words: string) => {
    await page.evaluate(`document.querySelector("#r-0-${part}").focus()`);
    await page.keyboard.type(words);
  };
  expect(await state()).toBe("Applied for");
  expect(await shown('.referral [data-act="outcome-open"]'), "the stages say what came of it").toBe(false);
  await record();
  expect([await focused(), await text("#r-0-stages-trouble")]).toEqual(["r-0-check-result", "This is needed: what it came to."]);

  // Not in this order.
  await choose("#r-0-stage", "decision");
  await choose("#r-0-decision-disclose", "yes");
  await type("decision-reasons", "He has hurt two partners");
  await type("decision-decided_by", "Panel of 27 November");
  await record();
  await until(page, 'document.querySelector("#r-0-stages-trouble").textContent.startsWith("Who they are and whether it is safe")');
  expect(await value("#r-0-decision-reasons"), "what was typed stays").toBe("He has hurt two partners");
  expect(await violations(page)).toEqual([]);
  await pictures(page, "work-stages");
  expect(await mayLeave(), "asked before the page is left").toBe(false);

  await choose("#r-0-stage", "check");
  for (const [kind, words] of [[1, "Passport seen"], [2, "Own flat, he has no key"]] as const) {
    await choose("#r-0-check-kind", String(kind));
    await type("check-result", words);
    await record();
    await until(page, `document.querySelector("#r-0-stages-way").textContent.includes(${JSON.stringify(words)})`);
  }
  await choose("#r-0-stage", "decision");
  await record();
  await until(page, 'document.querySelector("#r-0-stages-state").textContent === "To be disclosed: plan how" && document.querySelector("#r-0-stage").value === "plan"');
  await choose("#r-0-stage", "told");
  await type("told-to", "PC Okafor to the applicant");
  await record();
  await until(page, 'document.querySelector("#r-0-stages-trouble").textContent.startsWith("It is told at a time and in a way that are safe")');
  await choose("#r-0-stage", "plan");
  await choose("#r-0-plan-at", "2026-12-01T10:30");
  await type("plan-way", "At her mother’s");
  await type("plan-present", "PC Okafor, IDVA");
  await record();
  await until(page, 'document.querySelector("#r-0-stages-state").textContent === "Planned"');
  expect(await shown("#r-0-told-immediate_protection"), "nothing has to be excused").toBe(false);
  await choose("#r-0-stage", "told");
  await page.click("#r-0-told-unrecorded");
  await record();
  await until(page, 'document.querySelector("#r-0-stages-state").textContent === "Disclosed"');
  expect(asked("recordDisclosureStage").map(({ version }) => version)).toEqual([0n, 0n, 1n, 2n, 3n, 3n, 4n]);
  const told = asked("recordDisclosureStage").at(-1)!.stage as { stage: { case: string; value: { unrecorded: boolean; immediateProtection: string } } };
  expect([told.stage.case, told.stage.value.unrecorded, told.stage.value.immediateProtection]).toEqual(["told", true, ""]);
  expect(await text("#r-0-stages-way"), "what was typed before the plan was still there").toMatch(/: PC Okafor to the applicant; not recorded, on purpose$/);
  expect(await text("#r-0-stages-way")).toContain("planned for 1 Dec 2026, 10:30: At her mother’s; PC Okafor, IDVA");
  expect(await violations(page)).toEqual([]);
  await centre("#r-0-stages-way");
  await pictures(page, "work-stages-told");
}, 90_000);

test("what isn’t sent when a sign-in ends outside of a call waits for the same officer, and is nobody else’s", async () => {
  await packageAfterCall();
  await page.click('[data-mend="officer-statement"]');
  await page.click("#statement-text");
  await page.keyboard.type("What I have seen");
  await page.click("#tab-risk");
  await page.waitForSelector('[data-question="injured"]');
  desk.unreachable.add("saveAssessment");
  await page.click('[data-question="injured"] [data-choice=yes]');
  await page.waitForSelector("#work-unsent:not(:empty)");
  desk.signedIn = false;
  await until(page, 'document.body.dataset.view === "sign-in"');
  await page.waitForSelector("#sign-in-held", { state: "visible" });
  expect([await page.evaluate('document.querySelectorAll(".question").length'), await value("#statement-text")], "the case isn't on the screen").toEqual([0, ""]);
  expect(await page.evaluate('document.querySelector("#sign-in").target'), "this window stays").toBe("_blank");
  expect(await violations(page)).toEqual([]);
  await picture(page, "signed-out-unsent");
  desk.unreachable.clear();
  desk.signedIn = true;
  await until(page, 'document.body.dataset.view === "desk"');
  await expect.poll(() => desk.case.answer("injured")?.choice).toBe("yes");
  await expect.poll(() => desk.case.pack.statements.map(({ text: one }) => one)).toEqual(["What I have seen"]);
  expect(await shown("#sign-in-held")).toBe(false);

  // And once more, with another at the desk after it.
  await page.context().close();
  desk.case.pack.statements = [];
  await packageAfterCall();
  await page.click('[data-mend="officer-statement"]');
  await page.click("#statement-text");
  await page.keyboard.type("Mine alone");
  desk.signedIn = false;
  await page.waitForSelector("#sign-in-held", { state: "visible" });
  desk.officer = { ...SERGEANT, roles: ["desk_officer"] };
  desk.signedIn = true;
  await until(page, 'document.body.dataset.view === "desk"');
  expect(await mayLeave(), "nothing is left of it").toBe(true);
  expect(desk.case.pack.statements).toEqual([]);
}, 60_000);

test("days after a call its case is opened from its exhibit", async () => {
  await sit();
  desk.exhibits = states.exhibits();
  desk.exhibit = states.sealed();
  desk.package = states.checklist();
  desk.desk(states.waiting());
  await page.waitForSelector('body[data-view="desk"]');
  await page.click('.ways [data-to="evidence"]');
  await page.click("[data-exhibit=e1]");
  await page.waitForSelector("#case-open", { state: "visible" });
  expect(await violations(page)).toEqual([]);
  await page.click("#case-open");
  await until(page, 'document.body.dataset.view === "after"');
  await page.click("#tab-package");
  await until(page, 'document.querySelectorAll(".pack-item").length === 14');
  await page.click("#to-desk");
  await until(page, 'document.body.dataset.view === "desk"');
}, 60_000);

test("a caller is rung again for photographs, asked anew, and asked in", async () => {
  desk.case.now.clocks = [create(ClockSchema, { clockId: "k", key: "photographs", title: "Photographs again, while bruises show", dueAt: states.ago(-90_000), state: ClockState.NEAR })];
  await packageAfterCall();
  await page.waitForSelector("#again-part", { state: "visible" });
  await page.click("#tab-help");
  await page.click("#clocks [data-again]");
  await until(page, 'document.querySelector("#work").dataset.tab === "package" && document.activeElement.id === "again-overheard"');
  await page.click("#again-head");
  await page.click('[data-mend="later-photographs"]');
  await until(page, 'document.activeElement.id === "again-overheard"');
  await page.click("#again-go");
  expect([await text("#again-trouble"), asked("startFollowUp").length]).toEqual(["Ask this, too: somebody can see or overhear them now?", 0]);
  for (const key of ["overheard", "shared", "messagesRead", "immediateDanger", "offenderPresent", "recording"]) await choose(`#again-${key}`, "no");
  for (const key of ["canJoin", "video", "stills", "theirs", "speak"]) await choose(`#again-${key}`, "yes");
  await centre("#again-form");
  expect(await violations(page)).toEqual([]);
  await picture(page, "work-again");
  // Who is in danger is sent somebody, whatever else: what the force's rules say to do instead stands alone.
  desk.refused.startFollowUp = "NOT_ELIGIBLE";
  desk.because.startFollowUp = { eligibility: "IMMEDIATE_DANGER", instead: "Send a response unit now." };
  await page.click("#again-go");
  await until(page, 'document.querySelector("#again-trouble").textContent === "Send a response unit now."');
  desk.because.startFollowUp = { eligibility: "NO_SAFE_ROUTE", instead: "Send an officer in person." };
  await page.click("#again-go");
  await until(page, 'document.querySelector("#again-trouble").textContent.endsWith("can’t join. Send an officer in person.")');
  desk.refused.startFollowUp = "FOLLOW_UP_OPEN";
  desk.because.startFollowUp = {};
  await page.click("#again-go");
  await until(page, 'document.querySelector("#again-trouble").textContent === "A further call of this incident goes on already."');
  desk.refused.startFollowUp = "";
  await page.click("#again-go");
  await until(page, 'document.querySelector("#again-said").textContent.startsWith("They are asked in")');
  const request = asked("startFollowUp").at(-1)!;
  expect(request).toMatchObject({ callId: CALL, officerId: "pc-okafor", canJoin: true, offenderPresent: false, number: "", silentCaller: 0, canListen: true });
  expect((request.consents as { kind: number; given: boolean; how: string }[]).map(({ kind, given, how }) => [kind, given, how !== ""])).toEqual([[1, true, true], [2, false, true], [3, true, true]]);

  // Somebody who doesn't speak, at another number than they called from: that one is written down, and is gone once they are asked in.
  for (const key of ["shared", "messagesRead", "immediateDanger", "offenderPresent", "recording", "theirs", "speak"]) await choose(`#again-${key}`, "no");
  for (const key of ["overheard", "canJoin", "video", "stills"]) await choose(`#again-${key}`, "yes");
  await page.click("#again-go");
  expect([await text("#again-trouble"), asked("startFollowUp").length]).toEqual(["Write the number that you rang.", 4]);
  await page.keyboard.type("07700 900456");
  await centre("#again-form");
  expect(await violations(page)).toEqual([]);
  await page.click("#again-go");
  await until(page, 'document.querySelector("#again-said").textContent.startsWith("They are asked in") && document.querySelector("#again-number").value === ""');
  expect(asked("startFollowUp").at(-1)!).toMatchObject({ number: "+447700900456", silentCaller: 3, canListen: false });
}, 60_000);
