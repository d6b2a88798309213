// The disclosure schedule in the page: decided on entry by entry, and what another has decided meanwhile.
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { DisclosureScheduleSchema, Handling, type ScheduleEntry, ScheduleEntrySchema } from "../src/gen/alcove/referral/v1/package_pb";
import { ItemState } from "../src/gen/alcove/referral/v1/service_pb";
import { picture, pictures, until, violations } from "./officer";
import { packageAfterCall, packing } from "./packing";
import { asked, centre, choose, desk, mayLeave, page, shown, text, value } from "./seat";
import * as states from "./states";

packing();

test("each thing there is has its handling, saved with one press; what changed meanwhile loses nothing", async () => {
  await packageAfterCall();
  await page.click('[data-mend="disclosure-schedule"]');
  await until(page, 'document.querySelectorAll(".entry").length === 4');
  expect(await shown(".entry .govuk-tag"), "all are, before the first is saved").toBe(false);
  await choose('[data-entry="chat"] select', String(Handling.SENSITIVE));
  await page.click("#schedule-save");
  expect([await text('[data-entry="chat"] .trouble'), asked("saveDisclosureSchedule").length]).toEqual(["Say why it is sensitive.", 0]);
  await page.keyboard.type("Says where she stays");
  expect(await text("#schedule-state")).toBe("Not saved yet");
  expect(await mayLeave(), "asked before the page is left").toBe(false);

  // A statement was declared by another meanwhile.
  const before = desk.case.pack.schedule;
  desk.case.pack.schedule = create(DisclosureScheduleSchema, { ...before, version: 3, officerId: "pc-singh", at: states.ago(30), entries: [...before.entries.map((one) => ({ ...one, isNew: false })), create(ScheduleEntrySchema, { key: "statement/1", description: "Officer’s statement, version 1, declared", at: states.ago(20), handling: Handling.EVIDENCE, isNew: true })] });
  await page.click("#schedule-save");
  await until(page, 'document.querySelector("#schedule-trouble").textContent.startsWith("It has changed meanwhile")');
  expect([await value('[data-entry="chat"] select'), await value('[data-entry="chat"] input')], "what was chosen and typed stays").toEqual([String(Handling.SENSITIVE), "Says where she stays"]);
  expect(await page.evaluate('document.querySelector(".entry").dataset.entry'), "what is new is looked at first").toBe("statement/1");
  expect(await shown('[data-entry="statement/1"] .govuk-tag')).toBe(true);
  await page.evaluate('document.querySelector("#schedule-head").scrollIntoView({ block: "start" })');
  expect(await violations(page)).toEqual([]);
  await pictures(page, "work-schedule");
  await page.click("#schedule-save");
  await until(page, 'document.querySelector("#schedule-state").textContent.endsWith("pc-okafor")');
  expect(asked("saveDisclosureSchedule").map(({ version, entries }) => [version, (entries as { key: string; handling: number; reason: string }[]).map(({ key, handling, reason }) => `${key} ${handling} ${reason}`).at(2)])).toEqual([
    [0, "chat 3 Says where she stays"],
    [3, "chat 3 Says where she stays"],
  ]);

  // Otherwise than proposed is said why: the service says of which.
  await choose('[data-entry="recording"] select', String(Handling.UNUSED));
  await page.click("#schedule-save");
  await until(page, `document.activeElement.closest("[data-entry]")?.dataset.entry === "recording"`);
  expect(await text('[data-entry="recording"] .trouble')).toBe("Say why it is handled so.");
}, 60_000);

/** As another officer's page would save the schedule. */
function scheduled(change: (entry: ScheduleEntry) => Partial<ScheduleEntry>): void {
  const { pack } = desk.case;
  const entries = pack.schedule.entries.map((one) => ({ ...one, isNew: false, ...change(one) }));
  pack.schedule = create(DisclosureScheduleSchema, { version: pack.schedule.version + 1, officerId: "pc-singh", at: states.ago(1), current: true, entries });
  pack.fill("disclosure-schedule", ItemState.PRESENT, `Version ${pack.schedule.version}`);
}

test("what another has decided of the same entry, or what has itself changed, is chosen between before the schedule is saved", async () => {
  await packageAfterCall();
  await page.click('[data-mend="disclosure-schedule"]');
  await until(page, 'document.querySelectorAll(".entry").length === 4');
  await choose('[data-entry="recording"] select', String(Handling.UNUSED));
  await page.click('[data-entry="recording"] input');
  await page.keyboard.type("Shows nothing");
  await choose('[data-entry="still/still-1"] select', String(Handling.UNUSED));
  await page.click('[data-entry="still/still-1"] input');
  await page.keyboard.type("Too dark");
  scheduled(({ key }) => (key === "recording" ? { handling: Handling.SENSITIVE, reason: "Says where she stays" } : key === "still/still-1" ? { seen: "22", isNew: true } : {}));
  await page.waitForSelector('[data-entry="recording"] [data-keep=theirs]');
  expect([await value('[data-entry="recording"] select'), await text('[data-entry="recording"] .clash-words'), await text('[data-entry="recording"] .clash-both')]).toEqual([
    String(Handling.UNUSED),
    "pc-singh has saved this meanwhile.",
    "YoursUnused (MG6C, the defence gets the list): Shows nothingpc-singhUnused and sensitive (MG6D): Says where she stays",
  ]);
  expect(await text('[data-entry="still/still-1"] .clash')).toContain("This has itself changed since you chose.");
  expect(await violations(page)).toEqual([]);
  await centre('[data-entry="recording"]');
  await picture(page, "work-schedule-clash");
  const goneTo = () => page.evaluate(`document.activeElement.closest("[data-entry]")?.dataset.entry`);
  await page.click("#schedule-save");
  expect([await goneTo(), asked("saveDisclosureSchedule").length, await text('[data-entry="recording"] .trouble')]).toEqual(["recording", 0, "Choose first which of the two it is."]);
  await page.click('[data-entry="recording"] [data-keep=theirs]');
  expect([await value('[data-entry="recording"] select'), await value('[data-entry="recording"] input'), await shown('[data-entry="recording"] .clash')]).toEqual([String(Handling.SENSITIVE), "Says where she stays", false]);
  await page.click("#schedule-save");
  expect([await goneTo(), asked("saveDisclosureSchedule").length]).toEqual(["still/still-1", 0]);
  await page.click('[data-entry="still/still-1"] [data-keep=mine]');
  await page.click("#schedule-save");
  await until(page, 'document.querySelector("#schedule-state").textContent.endsWith("pc-okafor")');
  const [saved] = asked("saveDisclosureSchedule").map(({ entries }) => (entries as ScheduleEntry[]).map(({ key, seen, handling, reason }) => [key, seen, handling, reason]));
  expect(saved).toEqual(expect.arrayContaining([["recording", "1", Handling.SENSITIVE, "Says where she stays"], ["still/still-1", "22", Handling.UNUSED, "Too dark"]]));
}, 60_000);
