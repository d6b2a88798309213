// The work on a call's case beside the caller's face, and after the call: risk answered by the keyboard, offline and beside another officer,
// and graded.
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { RiskGrade } from "../src/gen/alcove/intake/v1/service_pb";
import { QuestionSetSchema } from "../src/gen/alcove/referral/v1/risk_pb";
import { faces, outOfView, picture, pictures, scrolls, until, violations } from "./officer";
import { asked, desk, endCall, inCall, mayLeave, page, seat, shown, text } from "./seat";
import * as states from "./states";
import * as work from "./work-states";

seat((at) => {
  at.case.set = work.set();
});

const answers = () => asked("saveAssessment").map((one) => (one.answers as { question: string; choice: string }[]).map(({ question, choice }) => `${question}=${choice}`).join());
const here = 'document.activeElement.closest(".question")?.dataset.question';
const standing = (key: string) => `document.querySelector('[data-question="${key}"]').dataset.standing`;
/** What must never have to be looked for while something else is done. */
const REACH = ["#caller", "#end", "#fast-track", "#mute", "#still", "#chat-text", "#chat-send", "#tab-risk"];

async function risk(): Promise<void> {
  await page.keyboard.press("F6");
  await until(page, `document.querySelectorAll(".question").length === ${desk.case.set.questions.length}`);
  await page.keyboard.press("F6");
  await until(page, `${here} !== undefined`);
}

test("risk is answered by the keyboard alone, each answer saved at once", async () => {
  desk.case.contradicts = [["children", "no"], ["child-hurt", "yes"]];
  desk.case.now.matches = work.matches();
  await inCall(states.live());
  await faces(page);
  await risk();
  for (const key of ["y", "y", "n", "d"]) await page.keyboard.press(key);
  await expect.poll(answers).toEqual(["injured=yes", "afraid=yes", "alone=no", "separated=dont-know"]);
  expect(await page.evaluate(here), "on to the next by itself").toBe("children");
  await until(page, `${standing("separated")} === "saved"`);
  await page.keyboard.press("w");
  await until(page, 'document.activeElement.dataset.field === "words"');
  await page.keyboard.type("He said he would take them");
  await page.keyboard.press("Escape");
  await until(page, `${here} === "children"`);
  await expect.poll(() => (asked("saveAssessment").at(-1)!.answers as { words: string; saidAt?: object }[]).map(({ words, saidAt }) => [words, saidAt !== undefined])).toEqual([["He said he would take them", true]]);
  expect(desk.case.answer("children")?.choice, "words alone are no answer").toBe("not-asked");
  await until(page, 'document.querySelector("#risk-sum").textContent.includes("High at least") === false && document.querySelector("#risk-open").textContent === "7"');
  expect(await outOfView(page, [...REACH, "[data-here=true] [data-choice=yes]"])).toEqual([]);
  expect(await scrolls(page)).toBe(false);
  expect(await violations(page)).toEqual([]);
  await pictures(page, "work-risk");

  // Both can't be right: it is kept, shown, and explained.
  for (const key of ["n", "y"]) await page.keyboard.press(key);
  await page.waitForSelector("#contradictions li");
  for (const key of ["1", "y", "n", "n", "n"]) await page.keyboard.press(key);
  await until(page, 'document.activeElement.id === "grade-title"');
  await until(page, 'document.querySelector("#grade-open").textContent === "2 earlier calls to be looked at"');
  await page.click('[data-match="e1"] [data-same="true"]');
  await page.click('[data-match="e2"] [data-same="false"]');
  await expect.poll(() => asked("judgeMatch").map(({ earlierCallId, samePeople }) => [earlierCallId, samePeople])).toEqual([["e1", true], ["e2", false]]);
  await until(page, 'document.querySelector("#grade-medium").checked && document.querySelector("#grade-standard").disabled');
  await page.click("#grade-high + label");
  await page.click("#grade-give");
  expect(await text("#grade-trouble"), "more than the answers say is said why").toBe("This grade needs a reason.");
  await page.click("#grade-reason");
  await page.keyboard.type("She was choked in March");
  await page.evaluate('document.querySelector("#grade-reason").scrollIntoView({ block: "center" })');
  expect(await violations(page)).toEqual([]);
  await pictures(page, "work-grade");
  await page.click("#grade-give");
  await page.waitForSelector("#grade-fast-track", { state: "visible" });
  expect(asked("gradeRisk").map(({ grade, reason }) => [grade, reason])).toEqual([[RiskGrade.HIGH, "She was choked in March"]]);
  expect(await text("#grade-given")).toContain("by judgement");
  await page.click("#grade-send");
  await until(page, 'document.querySelector("#fast-track-ask").open');
  expect(asked("requestFastTrack"), "the officer's button sends, and nothing else").toEqual([]);
}, 90_000);

test("what the mouse presses doesn’t move from under it", async () => {
  await inCall(states.live());
  await risk();
  // The help of the first, which is above it, goes with the press.
  await page.click('[data-question="alone"] [data-choice="yes"]');
  await expect.poll(answers).toEqual(["alone=yes"]);
  expect(await page.evaluate('document.querySelector("[data-here=true]").dataset.question')).toBe("alone");
  await page.click('[data-question="injured"] .q-more');
  await page.waitForSelector('[data-question="injured"] [data-field="words"]', { state: "visible" });
  // The words are saved with the press, which says so in a line of its own above.
  await page.click('[data-question="injured"] [data-field="words"]');
  await page.keyboard.type("My arm, he twisted it");
  await page.click('[data-question="injured"] [data-said]');
  await until(page, 'document.querySelector(\'[data-question="injured"] .q-said\').textContent.startsWith("Said at")');
  await until(page, `${standing("injured")} === "saved"`);
  expect(desk.case.answer("injured")).toMatchObject({ words: "My arm, he twisted it", saidAt: {} });
}, 60_000);

test("with no network nothing is lost: it says so, and the same requests go out when it is back", async () => {
  await inCall(states.live());
  await risk();
  await page.context().setOffline(true);
  await page.keyboard.press("y");
  await page.waitForSelector("#work-unsent:not(:empty)");
  await page.keyboard.press("n");
  await until(page, 'document.querySelector("#work-unsent").textContent.startsWith("2 things")');
  expect(await page.evaluate(standing("injured"))).toBe("trying");
  expect(await outOfView(page, [...REACH, "#work-unsent"])).toEqual([]);
  expect(await violations(page)).toEqual([]);
  await picture(page, "work-offline");
  expect(await mayLeave(), "asked before the page is left").toBe(false);
  expect(await page.evaluate('[localStorage, sessionStorage].flatMap((store) => Object.values(store)).some((one) => /injured|afraid/.test(one))'), "in memory only").toBe(false);
  await page.context().setOffline(false);
  await until(page, 'document.querySelector("#work-unsent").textContent === "" && document.querySelector("#work-saved").textContent === "All is saved"');
  expect([...new Set(answers())].sort()).toEqual(["afraid=no", "injured=yes"]);
  expect(desk.case.now.assessment?.answers.map(({ version }) => version)).toEqual([1n, 1n]);
}, 60_000);

test("an answer that was lost on its way back is sent again under the same id", async () => {
  await inCall(states.live());
  await risk();
  desk.unreachable.add("saveAssessment");
  await page.keyboard.press("y");
  await page.waitForSelector("#work-unsent:not(:empty)");
  desk.unreachable.clear();
  await until(page, `${standing("injured")} === "saved"`);
  const ids = asked("saveAssessment").map(({ requestId }) => requestId);
  expect([ids.length > 1, new Set(ids).size]).toEqual([true, 1]);
}, 60_000);

test("two officers see each other’s answers, and who was second chooses", async () => {
  await inCall(states.live());
  await risk();
  desk.case.answered("afraid", "no", "pc-singh");
  await until(page, `document.querySelector('[data-question="afraid"] .q-state').textContent.startsWith("pc-singh")`);
  expect(await page.evaluate(here), "nobody is led away").toBe("injured");

  await page.keyboard.press("m");
  await page.keyboard.type("left arm");
  desk.case.answered("injured", "yes", "pc-singh", { note: "both arms" });
  await page.keyboard.press("Escape");
  await page.waitForSelector('[data-question="injured"] [data-keep=theirs]');
  expect(await text('[data-question="injured"] .clash-both')).toBe("pc-singhYes · both armsYoursNot asked · left arm");
  expect(await violations(page)).toEqual([]);
  await picture(page, "work-clash");
  await page.click('[data-question="injured"] [data-keep=theirs]');
  await until(page, `${standing("injured")} === "saved" && document.querySelector('[data-question="injured"] [data-choice=yes]').getAttribute("aria-pressed") === "true"`);
  expect(desk.case.answer("injured")?.note).toBe("both arms");

  desk.refused.saveAssessment = "";
  await page.click('[data-question="injured"] [data-choice=no]');
  await expect.poll(() => desk.case.answer("injured")?.choice).toBe("no");
  expect([desk.case.answer("injured")?.version, desk.case.answer("injured")?.note], "on top of what was chosen").toEqual([2n, "both arms"]);
}, 60_000);

test("other questions are begun with from none, and what was answered before isn’t theirs", async () => {
  desk.case.other = create(QuestionSetSchema, { ...work.set(), id: "dara-demo", title: "Demonstration set, shaped as DARA", questions: work.set().questions.slice(0, 3) });
  await inCall(states.live());
  await risk();
  await page.keyboard.press("y");
  await until(page, `${standing("injured")} === "saved"`);
  await page.waitForSelector("#sets-begin");
  await page.click("#sets-begin");
  await until(page, `document.querySelectorAll(".question").length === 3 && ${standing("injured")} === "none"`);
  await until(page, `${here} === "injured"`);
  expect(await violations(page)).toEqual([]);
  await page.keyboard.press("n");
  await until(page, `${standing("injured")} === "saved"`);
  expect(asked("saveAssessment").map(({ assessmentId, answers: all }) => [assessmentId, (all as { choice: string }[])[0]!.choice])).toEqual([["a1", "yes"], ["a2", "no"]]);
}, 60_000);

test("a newer edition of the questions is told of, and begun with when the officer says so", async () => {
  await inCall(states.live());
  await risk();
  await page.keyboard.press("y");
  await until(page, `${standing("injured")} === "saved"`);
  expect(await shown("#outdated")).toBe(false);
  desk.case.newer = create(QuestionSetSchema, { ...work.set(), version: "2", questions: work.set().questions.slice(0, 4) });
  desk.case.tell();
  await page.waitForSelector("#outdated", { state: "visible" });
  expect(await page.evaluate("document.querySelectorAll('.question').length"), "nothing changes by itself").toBe(11);
  expect(await text("#outdated")).toContain("What was answered stays on record.");
  expect(await violations(page)).toEqual([]);
  await page.evaluate('document.querySelector("#outdated").scrollIntoView({ block: "center" })');
  await picture(page, "work-newer-questions");
  await page.click("#outdated-begin");
  await until(page, `document.querySelectorAll(".question").length === 4 && ${standing("injured")} === "none" && ${here} === "injured"`);
  await page.waitForSelector("#outdated", { state: "hidden" });
  expect(asked("getAssessmentForm").at(-1)).toMatchObject({ setId: "dash-demo" });
}, 60_000);

test("the same panel goes on after the call, and leaves nothing at the desk", async () => {
  desk.exhibit = states.sealed();
  desk.package = states.checklist();
  await inCall(states.live());
  await risk();
  await page.keyboard.press("y");
  await until(page, `${standing("injured")} === "saved"`);
  await endCall();
  expect(await shown('[data-question="injured"]')).toBe(true);
  expect([await shown("#tab-call"), await shown("#grade-send")]).toEqual([false, false]);
  await page.evaluate(`document.querySelector('[data-question="afraid"]').focus()`);
  await page.keyboard.press("n");
  await expect.poll(answers).toEqual(["injured=yes", "afraid=no"]);
  await page.waitForSelector("#after[data-state=sealed]");
  expect(await violations(page)).toEqual([]);
  await picture(page, "work-after");
  await page.click("#to-desk");
  await until(page, 'document.querySelectorAll(".question, .person, .referral").length === 0 && document.querySelector("#risk-sum").textContent === ""');
}, 60_000);

test("on a large screen the panel has a column of its own", async () => {
  await inCall(states.live(), { width: 1920, height: 1080 });
  await faces(page);
  await until(page, 'document.querySelectorAll(".question").length === 11');
  expect([await shown("#tab-call"), await shown("#part-people h2")]).toEqual([false, true]);
  expect(await outOfView(page, REACH)).toEqual([]);
  expect(await scrolls(page)).toBe(false);
  expect(await violations(page)).toEqual([]);
  await picture(page, "work-large");
}, 60_000);

test("the tabs go by the arrows, and somebody who waits outside is told of on the first", async () => {
  await inCall(states.live());
  await page.evaluate('document.querySelector("#tab-call").focus()');
  for (const [key, tab] of [["ArrowRight", "risk"], ["ArrowRight", "people"], ["End", "package"], ["ArrowRight", "call"], ["ArrowLeft", "package"], ["Home", "call"]] as const) {
    await page.keyboard.press(key);
    expect(await page.evaluate('document.activeElement.id + document.querySelector("#work").dataset.tab')).toBe(`tab-${tab}${tab}`);
    expect(await page.evaluate('[...document.querySelectorAll("#work-tabs [aria-selected=true]")].length')).toBe(1);
  }
  // The interpreter of this state waits.
  expect(await text("#call-open")).toBe("1 waiting");
}, 60_000);
