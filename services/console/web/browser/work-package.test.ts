// The package of a call in the page: what is missing and the way to it, what an officer says of an item, and the seal.
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { SealedPackageSchema, SealingState } from "../src/gen/alcove/referral/v1/package_pb";
import { Known, PersonSchema } from "../src/gen/alcove/referral/v1/people_pb";
import { ItemState } from "../src/gen/alcove/referral/v1/service_pb";
import { faces, outOfView, pictures, scrolls, until, violations } from "./officer";
import { packageAfterCall, packing } from "./packing";
import { asked, centre, desk, focused, inCall, mayLeave, page, shown, text, value } from "./seat";
import * as states from "./states";
import * as work from "./work-states";

packing();

const REACH = ["#caller", "#end", "#fast-track", "#mute", "#still", "#chat-text", "#chat-send", "#tab-package"];

test("what is missing comes first, with the way to where it is mended", async () => {
  desk.case.now.matches = work.matches();
  desk.case.saved(create(PersonSchema, { role: 3, givenName: "Yusuf", child: { present: Known.YES } }), "pc-okafor");
  desk.case.draft({ kind: "marac", madeBecause: "high risk" });
  desk.case.tell();
  await inCall();
  await faces(page);
  await page.click("#tab-package");
  await until(page, 'document.querySelectorAll(".pack-item").length === 14');
  expect([await text("#pack-score"), await text("#pack-state"), await text("#package-open")]).toEqual(["25%", "9 required items are missing.", "9"]);
  const order = await page.evaluate<string[]>('[...document.querySelectorAll(".pack-item")].map((one) => one.dataset.state)');
  expect(order.lastIndexOf("missing"), "the required before the optional, and what is there last").toBeLessThan(order.indexOf("optional"));
  expect(order.lastIndexOf("optional")).toBeLessThan(order.indexOf("present"));
  expect([await shown("#seal-form"), await shown("#again-part"), await shown("#seal-later")], "of what follows the call it is said so").toEqual([false, false, true]);
  expect(await text('[data-item="initial-account"] .filled'), "nobody has anything to do").toBe("Comes with the recording’s seal.");
  expect(await outOfView(page, REACH)).toEqual([]);
  expect(await scrolls(page)).toBe(false);
  expect(await violations(page)).toEqual([]);
  await pictures(page, "work-package");

  // Each is one press away.
  const ways: [string, string][] = [
    ["photographs", 'document.activeElement.id === "still"'],
    ["children-and-neighbours", 'document.activeElement.dataset.field === "child.saw_or_heard"'],
    ["officer-statement", 'document.activeElement.id === "statement-head" && !document.querySelector("#statement-form").hidden'],
    ["previous-incidents", 'document.activeElement.closest("[data-match]")?.dataset.match === "e1"'],
    ["risk-checklist", 'document.activeElement.closest(".question")?.dataset.question === "injured"'],
    ["referrals", 'document.activeElement.closest(".referral")?.dataset.state === "draft"'],
    ["disclosure-schedule", 'document.activeElement.id === "schedule-head" && !document.querySelector("#schedule-form").hidden'],
    ["consent", 'document.querySelector("#work").dataset.tab === "call" && document.activeElement.id === "part-consents"'],
  ];
  for (const [key, there] of ways) {
    await page.click("#tab-package");
    await page.click(`[data-mend="${key}"]`);
    await until(page, there);
  }
  await page.click("#tab-package");
  for (const key of ["bail-and-civil-orders", "later-photographs"]) {
    await page.click(`[data-say="${key}"]`);
    await until(page, `document.activeElement.closest(".note-form")?.dataset.note === "${key}"`);
  }
  expect([await shown('[data-say="photographs"]'), await shown('[data-say="referrals"]')], "words only where they count").toEqual([true, false]);
}, 90_000);

test("an item that nothing fills is answered without typing", async () => {
  await inCall();
  await page.click("#tab-package");
  await page.click('[data-say="bail-and-civil-orders"]');
  await page.click('[data-note="bail-and-civil-orders"] [type=submit]');
  expect(await text('[data-note="bail-and-civil-orders"] .trouble')).toBe("Say whether it applies.");
  await page.click('[data-note="bail-and-civil-orders"] .often-words');
  // Whatever comes meanwhile, it stands.
  desk.case.tell();
  desk.case.answered("afraid", "no", "pc-singh");
  await until(page, 'document.activeElement.tagName === "TEXTAREA"');
  expect(await violations(page)).toEqual([]);
  await centre('[data-note="bail-and-civil-orders"]');
  await pictures(page, "work-package-note");
  expect(await value('[data-note="bail-and-civil-orders"] textarea')).toMatch(/^Considered: /);
  expect(await mayLeave(), "asked before the page is left").toBe(false);
  await page.click('[data-note="bail-and-civil-orders"] [type=submit]');
  await until(page, `document.querySelector('[data-item="bail-and-civil-orders"]').dataset.state === "present" && document.querySelector('[data-note="bail-and-civil-orders"]').hidden`);
  expect(asked("notePackageItem").map(({ key, applies, text: said }) => [key, applies, /^Considered: /.test(said as string)])).toEqual([["bail-and-civil-orders", true, true]]);
  await until(page, `document.activeElement.dataset.say === "bail-and-civil-orders"`);
  expect(await text("#pack-state")).toBe("8 required items are missing.");

  desk.refused.notePackageItem = "";
  await page.click('[data-say="medical-consent"]');
  await page.click('[data-note="medical-consent"] .often-words[data-applies="false"]');
  await page.click('[data-note="medical-consent"] [type=submit]');
  await until(page, `document.querySelector('[data-item="medical-consent"]').dataset.state === "none"`);
  expect(await mayLeave()).toBe(true);
}, 60_000);

test("the package is sealed with one press, or with why, and its index comes as a PDF", async () => {
  await packageAfterCall();
  await until(page, 'document.querySelector("#seal-missing").textContent.startsWith("Missing: Initial account, recorded and sealed; ")');
  await page.click("#seal-go");
  expect([await focused(), await text("#seal-trouble"), asked("sealPackage").length]).toEqual(["seal-reason", "Say why it is sealed without them.", 0]);
  await page.keyboard.type("Remand hearing at nine");
  await centre("#seal-part");
  expect(await violations(page)).toEqual([]);
  await pictures(page, "work-seal");
  await page.click("#seal-go");
  await page.waitForSelector('#sealings [data-state="waiting"]');
  expect(asked("sealPackage").map(({ reason }) => reason)).toEqual(["Remand hearing at nine"]);
  expect(await text("#sealings li")).toContain("It goes by itself");
  // Nothing of how far it is has changed, but what keeps it is known now.
  desk.case.now.sealed = [create(SealedPackageSchema, { ...desk.case.now.sealed[0]!, problem: "Unavailable" })];
  desk.case.tell();
  await until(page, 'document.querySelector("#sealings li").textContent.endsWith("The evidence store said: Unavailable")');
  for (const [state, words] of [[SealingState.ADDED, "Being sealed"], [SealingState.FAILED, "Refused"], [SealingState.SEALED, "Sealed"]] as const) {
    desk.case.now.sealed = [create(SealedPackageSchema, { ...desk.case.now.sealed[0]!, state, reference: "ALC/7F3K9Q2M/2", sealedAt: states.ago(1), problem: "NOT_SEALED" })];
    desk.case.tell();
    await until(page, `document.querySelector("#sealings .govuk-tag").textContent === ${JSON.stringify(words)}`);
    expect((await text("#sealings li")).includes("The evidence store said: NOT_SEALED"), `what keeps it, ${words}`).toBe(state !== SealingState.SEALED);
  }
  // All is there: one press.
  desk.case.pack.items(work.checklist().map((one) => ({ ...one, state: ItemState.PRESENT, evidence: one.evidence || "there" })));
  await page.waitForSelector("#seal-why", { state: "hidden" });
  await page.click("#seal-go");
  await until(page, 'document.querySelectorAll("#sealings li").length === 2');
  expect(asked("sealPackage").at(-1)).toMatchObject({ reason: "" });
  await page.evaluate(`(() => { window.got = []; const click = HTMLAnchorElement.prototype.click; HTMLAnchorElement.prototype.click = function () { window.got.push(this.download); fetch(this.href).catch(() => {}); return click.call(this); }; })()`);
  await page.click("#index-print");
  await until(page, "window.got.length === 1");
  expect([await page.evaluate("window.got"), asked("getPackageIndex").map(({ officerId }) => officerId)]).toEqual([["package-index.pdf"], ["pc-okafor"]]);
  expect(await violations(page)).toEqual([]);
  await centre("#seal-part");
  await pictures(page, "work-sealed");
  desk.refused.sealPackage = "NO_EXHIBIT";
  await page.click("#seal-go");
  await until(page, 'document.querySelector("#seal-trouble").textContent === "Its exhibit isn’t known here yet. Try again in a moment."');
  desk.refused.getPackageIndex = "UNKNOWN_PACKAGE";
}, 60_000);

test("what is typed of an item while it is being saved stays, and so does what is ticked", async () => {
  await packageAfterCall();
  const note = '[data-note="bail-and-civil-orders"]';
  await page.click('[data-say="bail-and-civil-orders"]');
  await page.click(`${note} .often-words`);
  let answer = () => {};
  desk.case.pack.held = new Promise((go) => (answer = go));
  await page.click(`${note} [type=submit]`);
  await expect.poll(() => asked("notePackageItem").length).toBe(1);
  await page.click(`${note} textarea`);
  await page.keyboard.type(" More.");
  answer();
  await until(page, `document.querySelector('${note} .trouble').textContent.startsWith("What stood here before is saved")`);
  const typed = await value(`${note} textarea`);
  expect([await shown(note), typed.includes(" More."), await page.evaluate(`document.querySelector('${note}').dataset.unsaved`)]).toEqual([true, true, "yes"]);
  await page.click(`${note} [type=submit]`);
  await page.waitForSelector(note, { state: "hidden" });
  expect(asked("notePackageItem").at(-1)!.text).toBe(typed);
  // Only what is ticked is changed.
  await page.click('[data-say="bail-and-civil-orders"]');
  await page.click(`${note} .govuk-radios__item:last-child label`);
  expect(await mayLeave()).toBe(false);
}, 60_000);
