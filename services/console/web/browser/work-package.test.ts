// @vitest-environment node
// The package of a call in the page: what is missing and the way to it, the statement, the disclosure schedule, the seal.
import { create } from "@bufbuild/protobuf";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { DisclosureScheduleSchema, Handling, type ScheduleEntry, ScheduleEntrySchema, SealedPackageSchema, SealingState } from "../src/gen/alcove/referral/v1/package_pb";
import { Known, PersonSchema } from "../src/gen/alcove/referral/v1/people_pb";
import { ItemState } from "../src/gen/alcove/referral/v1/service_pb";
import { type Browser, faces, launch, open, outOfView, type Page, picture, scrolls, until, violations } from "./officer";
import { StandIn } from "./stand-in";
import * as states from "./states";
import * as work from "./work-states";

let browser: Browser;
let desk: StandIn;
let page: Page;
let errors: Error[];

beforeAll(async () => {
  browser = await launch();
}, 60_000);
afterAll(() => browser.close());
beforeEach(async () => {
  desk = new StandIn();
  desk.case.set = work.set();
  desk.case.kinds = work.kinds();
  desk.case.partners = work.partners();
  desk.case.pack.items(work.checklist());
  desk.case.pack.draft = work.draft;
  desk.case.pack.schedule = work.schedule();
  await desk.start();
});
afterEach(async () => {
  await page.context().close();
  desk.stop();
  expect(errors).toEqual([]);
});

async function inCall(theme: "light" | "dark" = "light", size?: { width: number; height: number }): Promise<void> {
  page = await open(browser, desk.origin, theme, size);
  errors = [];
  page.on("pageerror", (error) => errors.push(error));
  desk.session(states.interpreted());
  desk.desk(states.inCall());
  await page.waitForSelector("#call[data-state=live]");
}

async function afterCall(theme: "light" | "dark" = "light"): Promise<void> {
  desk.exhibit = states.sealed();
  const missing = work.checklist().filter(({ required, state }) => required && state === ItemState.MISSING);
  desk.package = { ...states.checklist(), items: work.checklist(), scorePercent: desk.case.now.scorePercent, missing: missing.map(({ key }) => key) };
  await inCall(theme);
  await page.click("#end");
  await page.click("#confirm-end");
  desk.desk({});
  await until(page, 'document.body.dataset.view === "after"');
  await page.click("#tab-package");
}

const asked = (method: string) => desk.asked.filter((one) => one.method === method).map(({ request }) => request);
const text = (selector: string) => page.evaluate<string>(`document.querySelector(${JSON.stringify(selector)}).textContent`);
const value = (selector: string) => page.evaluate<string>(`document.querySelector(${JSON.stringify(selector)}).value`);
const shown = (selector: string) => page.evaluate<boolean>(`document.querySelector(${JSON.stringify(selector)})?.checkVisibility() ?? false`);
const focused = () => page.evaluate<string>("document.activeElement.id");
const centre = (selector: string) => page.evaluate(`document.querySelector(${JSON.stringify(selector)}).scrollIntoView({ block: "center" })`);
const choose = (selector: string, to: string) =>
  page.evaluate(`(() => { const one = document.querySelector(${JSON.stringify(selector)}); one.focus(); one.value = ${JSON.stringify(to)}; for (const name of ["input", "change"]) one.dispatchEvent(new Event(name, { bubbles: true })); })()`);
const suffix = (theme: string) => (theme === "dark" ? "-dark" : "");
const REACH = ["#caller", "#end", "#fast-track", "#mute", "#still", "#chat-text", "#chat-send", "#tab-package"];

for (const theme of ["light", "dark"] as const) {
  test(`what is missing comes first, with the way to where it is mended, ${theme}`, async () => {
    desk.case.now.matches = work.matches();
    desk.case.saved(create(PersonSchema, { role: 3, givenName: "Yusuf", child: { present: Known.YES } }), "pc-okafor");
    desk.case.draft({ kind: "marac", madeBecause: "high risk" });
    desk.case.tell();
    await inCall(theme);
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
    await picture(page, `work-package${suffix(theme)}`);

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

  test(`an item that nothing fills is answered without typing, ${theme}`, async () => {
    await inCall(theme);
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
    await picture(page, `work-package-note${suffix(theme)}`);
    expect(await value('[data-note="bail-and-civil-orders"] textarea')).toMatch(/^Considered: /);
    expect(await page.evaluate('dispatchEvent(new Event("beforeunload", { cancelable: true }))'), "asked before the page is left").toBe(false);
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
    expect(await page.evaluate('dispatchEvent(new Event("beforeunload", { cancelable: true }))')).toBe(true);
  }, 60_000);

  test(`the statement is drafted, filled in without typing, declared, and its earlier versions can be read, ${theme}`, async () => {
    desk.case.pack.incomplete = true;
    await afterCall(theme);
    await page.click('[data-mend="officer-statement"]');
    await page.click("#statement-draft");
    await until(page, 'document.querySelector("#statement-text").value.startsWith("WITNESS STATEMENT")');
    expect(await text("#statement-draft-said")).toContain("could not be read yet");
    expect(await text("#blanks-words")).toBe("4 places are still to be filled in. The next is on line 9: “10:43:10 (account): [...]”");
    await page.click("#statement-declare");
    await until(page, '(({ selectionStart, selectionEnd, value }) => value.slice(selectionStart, selectionEnd) === "[...]")(document.querySelector("#statement-text"))');
    expect([await focused(), await text("#statement-trouble")]).toEqual(["statement-text", "It can’t be declared while something in it is still to be filled in or struck out."]);
    expect(asked("saveStatement"), "it isn't even asked for").toEqual([]);
    await centre("#statement-text");
    expect(await violations(page)).toEqual([]);
    await picture(page, `work-statement${suffix(theme)}`);

    await page.keyboard.type("she spoke of this morning");
    await until(page, 'document.querySelector("#blanks-words").textContent.startsWith("3 places are still to be filled in. The next is on line 15")');
    await page.click("#statement-save");
    await until(page, 'document.querySelector("#statement-state").textContent === "Saved, not declared, version 1"');
    await page.click("#blank-next");
    await page.click("#blank-strike");
    for (const put of ["PC Ada Okafor", new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/London", day: "numeric", month: "long", year: "numeric" }).format()]) {
      await until(page, `document.querySelector("#blank-put").dataset.words === ${JSON.stringify(put)}`);
      await page.click("#blank-put");
    }
    await page.waitForSelector("#blanks", { state: "hidden" });
    expect(await text("#statement-state")).toBe("Not saved yet");
    await page.click("#statement-declare");
    await until(page, 'document.querySelector("#statement-state").textContent === "Declared, version 2"');
    expect(asked("saveStatement").map(({ version, declared }) => [version, declared])).toEqual([[0, false], [1, true]]);
    const said = asked("saveStatement")[1]!.text as string;
    expect([said.includes("[...]"), said.includes("This statement is true to the best"), said.includes("Signed: PC Ada Okafor    Dated: ")]).toEqual([false, true, true]);
    await until(page, `document.querySelector('[data-item="officer-statement"]').dataset.state === "present"`);
    expect(await page.evaluate('[...document.querySelectorAll("#statement-versions summary")].map((one) => one.textContent)')).toEqual([
      expect.stringMatching(/^Version 2, .*, pc-okafor, declared$/),
      expect.stringMatching(/^Version 1, .*, pc-okafor$/),
    ]);
    await page.click("#statement-versions details:last-child summary");
    expect(await shown("#statement-versions details:last-child p")).toBe(true);
    expect(await violations(page)).toEqual([]);
    await page.evaluate('document.querySelector("#statement-versions details:last-child").scrollIntoView({ block: "end" })');
    await picture(page, `work-statement-versions${suffix(theme)}`);
  }, 90_000);

  test(`each thing there is has its handling, saved with one press; what changed meanwhile loses nothing, ${theme}`, async () => {
    await afterCall(theme);
    await page.click('[data-mend="disclosure-schedule"]');
    await until(page, 'document.querySelectorAll(".entry").length === 4');
    expect(await shown(".entry .govuk-tag"), "all are, before the first is saved").toBe(false);
    await choose('[data-entry="chat"] select', String(Handling.SENSITIVE));
    await page.click("#schedule-save");
    expect([await text('[data-entry="chat"] .trouble'), asked("saveDisclosureSchedule").length]).toEqual(["Say why it is sensitive.", 0]);
    await page.keyboard.type("Says where she stays");
    expect(await text("#schedule-state")).toBe("Not saved yet");
    expect(await page.evaluate('dispatchEvent(new Event("beforeunload", { cancelable: true }))'), "asked before the page is left").toBe(false);

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
    await picture(page, `work-schedule${suffix(theme)}`);
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

  test(`the package is sealed with one press, or with why, and its index comes as a PDF, ${theme}`, async () => {
    await afterCall(theme);
    await until(page, 'document.querySelector("#seal-missing").textContent.startsWith("Missing: Initial account, recorded and sealed; ")');
    await page.click("#seal-go");
    expect([await focused(), await text("#seal-trouble"), asked("sealPackage").length]).toEqual(["seal-reason", "Say why it is sealed without them.", 0]);
    await page.keyboard.type("Remand hearing at nine");
    await centre("#seal-part");
    expect(await violations(page)).toEqual([]);
    await picture(page, `work-seal${suffix(theme)}`);
    await page.click("#seal-go");
    await page.waitForSelector('#sealings [data-state="waiting"]');
    expect(asked("sealPackage").map(({ reason }) => reason)).toEqual(["Remand hearing at nine"]);
    expect(await text("#sealings li")).toContain("It goes by itself");
    for (const [state, words] of [[SealingState.ADDED, "Being sealed"], [SealingState.FAILED, "Refused"], [SealingState.SEALED, "Sealed"]] as const) {
      desk.case.now.sealed = [create(SealedPackageSchema, { ...desk.case.now.sealed[0]!, state, reference: "ALC/7F3K9Q2M/2", sealedAt: states.ago(1) })];
      desk.case.tell();
      await until(page, `document.querySelector("#sealings .govuk-tag").textContent === ${JSON.stringify(words)}`);
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
    await picture(page, `work-sealed${suffix(theme)}`);
    desk.refused.sealPackage = "NO_EXHIBIT";
    await page.click("#seal-go");
    await until(page, 'document.querySelector("#seal-trouble").textContent === "Its exhibit isn’t known here yet. Try again in a moment."');
    desk.refused.getPackageIndex = "UNKNOWN_PACKAGE";
  }, 60_000);
}

test("of two who write the statement the second sees the other’s, and nothing of either is lost", async () => {
  await afterCall();
  desk.case.pack.stated("Theirs, the first", "pc-singh");
  await page.click('[data-mend="officer-statement"]');
  await until(page, 'document.querySelector("#statement-text").value === "Theirs, the first"');
  await page.click("#statement-text");
  await page.keyboard.type(" and mine");
  desk.case.pack.statements = [];
  desk.case.pack.stated("Theirs, the first", "pc-singh");
  desk.case.pack.stated("Theirs, the second", "pc-singh");
  await page.click("#statement-save");
  await page.waitForSelector("#statement-clash [data-version=mine]");
  expect(await text("#statement-clash .clash-words")).toContain("pc-singh has saved version 2 meanwhile");
  expect([await text("#statement-clash .statement-said"), await value("#statement-text")]).toEqual(["Theirs, the second", "Theirs, the first and mine"]);
  expect(await violations(page)).toEqual([]);
  await page.evaluate('document.querySelector("#statement-head").scrollIntoView({ block: "start" })');
  await picture(page, "work-statement-clash");
  await page.click("#statement-clash [data-version=theirs]");
  expect(await value("#statement-text")).toBe("Theirs, the second");
  await page.click("#statement-clash [data-version=back]");
  expect(await value("#statement-text")).toBe("Theirs, the first and mine");
  await page.click("#statement-save");
  await until(page, 'document.querySelector("#statement-state").textContent === "Saved, not declared, version 3"');
  expect(desk.case.pack.statements.map(({ text: one }) => one)).toEqual(["Theirs, the first and mine", "Theirs, the second", "Theirs, the first"]);
  expect(await shown("#statement-clash p")).toBe(false);

  // A draft that nobody has typed in is theirs, too.
  await page.click("#statement-draft");
  await until(page, 'document.querySelector("#statement-text").value.startsWith("WITNESS STATEMENT")');
  desk.case.pack.stated("Theirs, the third", "pc-singh");
  await page.click("#statement-save");
  await page.waitForSelector("#statement-clash [data-version=mine]");
  expect((await value("#statement-text")).startsWith("WITNESS STATEMENT")).toBe(true);
  await page.click("#statement-clash [data-version=mine]");
  await page.click("#statement-save");
  await until(page, 'document.querySelector("#statement-state").textContent === "Saved, not declared, version 5"');
}, 60_000);

/** As another officer's page would save the schedule. */
function scheduled(change: (entry: ScheduleEntry) => Partial<ScheduleEntry>): void {
  const { pack } = desk.case;
  const entries = pack.schedule.entries.map((one) => ({ ...one, isNew: false, ...change(one) }));
  pack.schedule = create(DisclosureScheduleSchema, { version: pack.schedule.version + 1, officerId: "pc-singh", at: states.ago(1), current: true, entries });
  pack.fill("disclosure-schedule", ItemState.PRESENT, `Version ${pack.schedule.version}`);
}

test("what another has decided of the same entry, or what has itself changed, is chosen between before the schedule is saved", async () => {
  await afterCall();
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

test("a statement that is declared stays so when the case is left at once, and holds no button of the next", async () => {
  await afterCall();
  await page.click('[data-mend="officer-statement"]');
  await page.click("#statement-text");
  await page.keyboard.type("What I have seen");
  let answer = () => {};
  desk.case.pack.held = new Promise((go) => (answer = go));
  await page.click("#statement-declare");
  await expect.poll(() => asked("saveStatement").length).toBe(1);
  await page.click("#to-desk");
  await until(page, 'document.body.dataset.view === "desk" && document.querySelector("#statement-text").value === ""');
  expect(await page.evaluate('document.querySelector("#statement-declare").getAttribute("aria-disabled")')).toBe(null);
  answer();
  // Nothing of it is still to be sent.
  await until(page, 'dispatchEvent(new Event("beforeunload", { cancelable: true }))');
  expect([desk.case.pack.statements.map(({ text: one, declared }) => [one, declared]), asked("saveStatement").length]).toEqual([[["What I have seen", true]], 1]);
}, 60_000);

test("what is typed never comes by itself on top of what another has declared: it stands there when the case is opened again", async () => {
  await afterCall();
  await page.click('[data-mend="officer-statement"]');
  await page.click("#statement-text");
  await page.keyboard.type("What I have seen");
  desk.case.pack.stated("Theirs", "pc-singh", true);
  await page.click("#to-desk");
  await until(page, 'document.querySelector("#missed").textContent.startsWith("A statement of yours isn’t saved")');
  expect(desk.case.pack.statements.map(({ text: one }) => one)).toEqual(["Theirs"]);
  expect(await page.evaluate('dispatchEvent(new Event("beforeunload", { cancelable: true }))'), "asked before the page goes with it").toBe(false);
  desk.desk(states.inCall());
  await until(page, 'document.body.dataset.view === "call"');
  await page.click("#tab-package");
  await page.click("#statement-head");
  await until(page, 'document.querySelector("#statement-text").value === "Theirs"');
  await page.click("#statement-clash summary");
  expect(await text("#statement-clash .statement-said")).toBe("What I have seen");
  await page.click("#statement-clash [data-version=back]");
  await page.click("#statement-save");
  await expect.poll(() => desk.case.pack.statements.map(({ text: one }) => one)).toEqual(["What I have seen", "Theirs"]);
  await until(page, 'dispatchEvent(new Event("beforeunload", { cancelable: true }))');
}, 60_000);

test("what is typed of an item while it is being saved stays, and so does what is ticked", async () => {
  await afterCall();
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
  expect(await page.evaluate('dispatchEvent(new Event("beforeunload", { cancelable: true }))')).toBe(false);
}, 60_000);

test("what is typed of the statement becomes a version when the case is left", async () => {
  await afterCall();
  await page.click('[data-mend="officer-statement"]');
  await page.click("#statement-text");
  await page.keyboard.type("What I have seen");
  desk.case.pack.statements = [];
  desk.case.pack.stated("Theirs", "pc-singh");
  await page.click("#to-desk");
  await until(page, 'document.body.dataset.view === "desk"');
  await expect.poll(() => desk.case.pack.statements.map(({ text: one, declared }) => [one, declared])).toEqual([["What I have seen", false], ["Theirs", false]]);
  expect(await value("#statement-text"), "nothing of it stays at the desk").toBe("");
}, 60_000);
