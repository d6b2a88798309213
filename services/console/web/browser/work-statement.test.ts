// The officer's statement in the page: drafted, filled in, declared, and never lost between two who write it.
import { expect, test } from "vitest";
import { picture, pictures, until, violations } from "./officer";
import { packageAfterCall, packing } from "./packing";
import { asked, centre, desk, focused, mayLeave, page, shown, text, value } from "./seat";
import * as states from "./states";

packing();

test("the statement is drafted, filled in without typing, declared, and its earlier versions can be read", async () => {
  desk.case.pack.incomplete = true;
  await packageAfterCall();
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
  await pictures(page, "work-statement");

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
  await pictures(page, "work-statement-versions");
}, 90_000);

test("of two who write the statement the second sees the other’s, and nothing of either is lost", async () => {
  await packageAfterCall();
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

test("a statement that is declared stays so when the case is left at once, and holds no button of the next", async () => {
  await packageAfterCall();
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
  await packageAfterCall();
  await page.click('[data-mend="officer-statement"]');
  await page.click("#statement-text");
  await page.keyboard.type("What I have seen");
  desk.case.pack.stated("Theirs", "pc-singh", true);
  await page.click("#to-desk");
  await until(page, 'document.querySelector("#missed").textContent.startsWith("A statement of yours isn’t saved")');
  expect(desk.case.pack.statements.map(({ text: one }) => one)).toEqual(["Theirs"]);
  expect(await mayLeave(), "asked before the page goes with it").toBe(false);
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

test("what is typed of the statement becomes a version when the case is left", async () => {
  await packageAfterCall();
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
