// The people of a call written down once, and the help that is made from them: blocked while something is missing, and sent by an officer.
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ConsentKind } from "../src/gen/alcove/intake/v1/service_pb";
import { ClockSchema, ClockState, DeliverySchema, DeliveryState, ReferralState } from "../src/gen/alcove/referral/v1/help_pb";
import { Known, type Person, PersonSchema } from "../src/gen/alcove/referral/v1/people_pb";
import { faces, outOfView, picture, pictures, scrolls, until, violations } from "./officer";
import { asked, choose, desk, endCall, inCall, page, seat, text } from "./seat";
import * as states from "./states";
import * as work from "./work-states";

seat((at) => {
  at.case.set = work.set();
  at.case.kinds = work.kinds();
  at.case.partners = work.partners();
});

const saved = () => asked("savePerson").map(({ person }) => person as Person);
const field = (role: number, key: string) => `.person[data-role="${role}"] [data-field="${key}"]`;
const REACH = ["#caller", "#end", "#fast-track", "#mute", "#still", "#chat-text", "#chat-send", "#tab-help"];

async function type(selector: string, words: string): Promise<void> {
  await page.evaluate(`document.querySelector(${JSON.stringify(selector)}).focus()`);
  await page.keyboard.type(words);
}

test("a person is saved field by field as it is left, a child with what matters of it", async () => {
  await inCall();
  await faces(page);
  await page.click("#chapters [data-chapter='3']");
  await page.click("#tab-people");
  await page.click(".person .p-head");
  await type(field(1, "given_name"), "Samira");
  await page.keyboard.press("Tab");
  await until(page, 'document.activeElement.dataset.field === "family_name"');
  await page.keyboard.type("Haddad");
  await page.keyboard.press("Tab");
  await expect.poll(() => desk.case.now.people.map(({ givenName, familyName }) => [givenName, familyName])).toEqual([["Samira", "Haddad"]]);
  expect(saved()[0], "at once, not at the end").toMatchObject({ givenName: "Samira", familyName: "" });
  await type(field(1, "phone"), "07700 900123");
  await page.keyboard.press("Tab");
  await page.evaluate(`document.querySelector('${field(1, "safe_contact.ways")} input[value="2"]').click()`);
  await page.evaluate(`document.querySelector('${field(1, "safe_contact.ways")} input[value="1"]').click()`);
  await type(field(1, "safe_contact.never"), "Never say police to who answers");
  await page.keyboard.press("Tab");
  await expect.poll(() => desk.case.now.people[0]).toMatchObject({ phone: "+447700900123", safeContact: { ways: [2, 1], never: "Never say police to who answers" } });
  await until(page, 'document.querySelector(".person .q-state").textContent === "Saved"');
  expect(await violations(page)).toEqual([]);
  await page.evaluate(`document.querySelector('${field(1, "given_name")}').scrollIntoView({ block: "center" })`);
  await pictures(page, "work-person");
  await page.click(".person .p-head");

  await page.click("#add-child");
  await until(page, `document.activeElement.matches('${field(3, "given_name")}')`);
  await page.keyboard.type("Yusuf");
  await type(field(3, "relationship"), "son");
  await choose(field(3, "child.present"), String(Known.YES));
  await choose(field(3, "child.saw_or_heard"), String(Known.YES));
  await type(field(3, "child.voice"), "I heard mum shout.");
  await page.keyboard.press("Tab");
  await page.evaluate(`document.querySelector('${field(3, "child.chapters")} input').click()`);
  await expect.poll(() => desk.case.now.people.find(({ role }) => role === 3)).toMatchObject({ givenName: "Yusuf", relationship: "son", child: { present: Known.YES, sawOrHeard: Known.YES, voice: "I heard mum shout.", chapters: [1] } });
  expect(desk.case.now.people.length, "one child, however quickly it was written").toBe(2);
  expect(await outOfView(page, REACH)).toEqual([]);
  expect(await scrolls(page)).toBe(false);
  expect(await violations(page)).toEqual([]);
  await pictures(page, "work-child");
  expect(await page.evaluate("location.href + document.title"), "nobody's name where it stays").not.toMatch(/Samira|Yusuf|Haddad/);
}, 60_000);

test("a referral is blocked until all of it is there, and then sent", async () => {
  desk.case.draft({ kind: "idva", fields: work.idvaFields() });
  desk.case.saved(create(PersonSchema, { role: 1, givenName: "Samira", familyName: "Haddad" }), "pc-okafor");
  await inCall();
  await faces(page);
  await page.click("#tab-help");
  await page.waitForSelector(".referral [data-missing]");
  expect(await text(".referral .r-missing")).toBe("Missing: Phone");
  await until(page, 'document.querySelectorAll("#r-0-partner option").length === 3');
  expect(await outOfView(page, REACH)).toEqual([]);
  expect(await violations(page)).toEqual([]);
  await pictures(page, "work-referral");

  await page.click(".referral [data-missing]");
  await until(page, `document.activeElement.matches('${field(1, "phone")}')`);
  await page.keyboard.type("07700 900123");
  await page.keyboard.press("Tab");
  await expect.poll(() => desk.case.referral("r1").missing).toEqual([]);
  await page.click("#tab-help");
  await choose("#r-0-partner", "wmp-idva");
  await type("#r-0-note", "Ring before noon only");
  await page.keyboard.press("Tab");
  await expect.poll(() => asked("makeReferral").at(-1)).toMatchObject({ kind: "idva", partnerId: "wmp-idva", note: "Ring before noon only" });
  await until(page, 'document.querySelector("#r-0-note").defaultValue !== ""');
  await page.click('.referral [data-act="send"]');
  await until(page, 'document.querySelector("#work").dataset.tab === "call" && document.activeElement.id === "consent-how"');
  expect(await text("#consent-asked")).toBe("Independent domestic violence adviser: they agree now.");
  expect(await outOfView(page, ["#consent-write"])).toEqual([]);
  await page.click("#consent-write");
  await expect.poll(() => asked("recordConsent").map(({ consents }) => (consents as { kind: number; subject: string; given: boolean }[]).map(({ kind, subject, given }) => [kind, subject, given]))).toEqual([[[ConsentKind.REFERRAL, "idva/1", true]]]);
  desk.case.agreed("idva");
  await page.click("#tab-help");
  await until(page, 'document.querySelector(".referral [data-part=consent]").hidden');
  await page.click('.referral [data-act="send"]');
  await page.waitForSelector('.referral[data-state="sent"]');
  expect(asked("sendReferral").map(({ referralId, byHand }) => [referralId, byHand])).toEqual([["r1", ""], ["r1", ""]]);
  await type("#r-0-acknowledged", "Jo, duty worker");
  await page.click('.referral [data-act="acknowledge"]');
  await page.waitForSelector('.referral[data-state="acknowledged"]');
  expect(await text(".referral .r-way")).toContain("Jo, duty worker has it");
  await page.click('.referral [data-act="outcome-open"]');
  await page.keyboard.type("Meets her on Tuesday");
  await page.click('.referral [data-act="outcome"]');
  await page.waitForSelector('.referral[data-state="outcome"]');
  expect(await violations(page)).toEqual([]);
  await pictures(page, "work-sent");
}, 60_000);

test("a partner who can only be rung is told by phone, and a delivery that failed says whom to ring, with the time that is left", async () => {
  const inTwoHours = states.ago(-7260);
  desk.case.draft({ kind: "marac", madeBecause: "high risk", partner: { ...work.partners()[1]! }, fields: [{ key: "victim.name", label: "Name", value: "Samira Haddad", required: true }] });
  desk.case.draft({ kind: "encompass", state: ReferralState.SENT, sentAt: states.ago(600), sentBy: "pc-okafor", partner: { ...work.partners()[0]! }, delivery: create(DeliverySchema, { state: DeliveryState.FAILED, attempts: 9, problem: "their server refuses the certificate" }) });
  desk.case.now.clocks = [create(ClockSchema, { clockId: "k", key: "encompass", title: "Before the next school day", source: "Operation Encompass guidance", referralId: "r2", dueAt: inTwoHours, state: ClockState.NEAR })];
  desk.case.tell();
  await inCall();
  await faces(page);
  await page.click("#tab-help");
  await page.waitForSelector('[data-referral="r2"] .clock-left');
  expect(await text('[data-referral="r2"] .clock-left')).toMatch(/^2 hours( 1 minute)? left, until /);
  expect(await text('[data-referral="r2"] .r-way')).toContain("Not delivered: their server refuses the certificate. Ring them: 01210 000001");
  expect(await text('[data-referral="r1"] .hush')).toContain("Drafted by rule: high risk");
  expect(await page.evaluate(`document.querySelector('[data-referral="r1"] [data-act="send"]').checkVisibility()`)).toBe(false);
  await page.click('[data-referral="r1"] [data-act="told"]');
  await page.keyboard.type("Pat at the refuge line");
  expect(await violations(page)).toEqual([]);
  await picture(page, "work-by-hand");
  await page.click('[data-referral="r1"] [data-act="by-hand"]');
  await page.waitForSelector('[data-referral="r1"][data-state="sent"]');
  expect(asked("sendReferral").map(({ byHand }) => byHand)).toEqual(["Pat at the refuge line"]);

  await choose("#help-kind", "idva");
  expect(await text("#help-basis")).toBe("Lawful basis: Consent · needs the caller’s yes");
  await page.click("#help-add");
  await page.waitForSelector('[data-referral="r3"]');
  await page.click('[data-referral="r3"] [data-act="withdraw-open"]');
  await page.click('[data-referral="r3"] [data-act="withdraw"]');
  expect(asked("withdrawReferral"), "not without why").toEqual([]);
  await page.keyboard.type("She would rather not");
  await page.click('[data-referral="r3"] [data-act="withdraw"]');
  await expect.poll(() => asked("withdrawReferral").map(({ reason }) => reason)).toEqual(["She would rather not"]);
}, 60_000);

test("the number that the caller rang from stands in the victim’s form, and is saved with the first thing that is written", async () => {
  desk.case.pack.number = "+447700900456";
  desk.case.pack.away = true;
  await inCall();
  await page.click("#tab-people");
  await page.click(".person .p-head");
  await expect.poll(() => asked("getCallerNumber").length).toBe(1);
  expect([await page.evaluate(`document.querySelector('${field(1, "phone")}').value`), await text("#work-trouble")], "intake is away, and nobody has to care").toEqual(["", ""]);
  desk.case.pack.away = false;
  await page.click("#tab-risk");
  await page.click("#tab-people");
  await until(page, `document.querySelector('${field(1, "phone")}').value === "07700 900456"`);
  expect(await text(".p-from")).toBe("From the call");
  expect(saved(), "nothing is written down before somebody writes").toEqual([]);
  expect(await violations(page)).toEqual([]);
  await picture(page, "work-person-number");
  await type(field(1, "given_name"), "Samira");
  await page.keyboard.press("Tab");
  await expect.poll(() => desk.case.now.people.map(({ givenName, phone }) => [givenName, phone])).toEqual([["Samira", "+447700900456"]]);
  await page.evaluate(`(() => { const one = document.querySelector('${field(1, "phone")}'); one.focus(); one.select(); })()`);
  await page.keyboard.type("07700 900999");
  await page.keyboard.press("Tab");
  await expect.poll(() => desk.case.now.people[0]!.phone).toBe("+447700900999");
  await until(page, 'document.querySelector(".p-from").textContent === ""');
}, 60_000);

test("what two officers change of one person is put together, and chosen where both changed the same", async () => {
  desk.case.saved(create(PersonSchema, { role: 1, givenName: "Samira" }), "pc-okafor");
  await inCall();
  await page.click("#tab-people");
  await page.click(".person .p-head");
  const singh = (more: object) => desk.case.saved(create(PersonSchema, { ...desk.case.now.people[0]!, ...more }), "pc-singh");
  await until(page, `document.querySelector('${field(1, "given_name")}').value === "Samira"`);
  await type(field(1, "family_name"), "Haddad");
  singh({ postcode: "B5 4RT" });
  await page.keyboard.press("Tab");
  await expect.poll(() => desk.case.now.people[0]).toMatchObject({ familyName: "Haddad", postcode: "B5 4RT" });
  await until(page, `document.querySelector('${field(1, "postcode")}').value === "B5 4RT" && document.querySelector(".person .q-state").textContent === "Saved"`);

  await type(field(1, "address"), "4 Mill Lane");
  singh({ address: "14 Mill Lane" });
  await page.keyboard.press("Tab");
  await page.waitForSelector(".person [data-keep=mine]");
  expect(await text(".person .clash-both")).toBe("AddressTheirs: 14 Mill Lane · Yours: 4 Mill Lane");
  expect(await violations(page)).toEqual([]);
  await page.evaluate('document.querySelector(".person [data-keep=mine]").scrollIntoView({ block: "center" })');
  await picture(page, "work-person-clash");
  await page.click(".person [data-keep=mine]");
  await expect.poll(() => desk.case.now.people[0]!.address).toBe("4 Mill Lane");

  desk.refused.savePerson = "INVALID_PERSON";
  await type(field(1, "gender"), "w");
  await page.keyboard.press("Tab");
  await until(page, 'document.querySelector(".person .trouble:not(:empty)")?.checkVisibility()');
  expect(await page.evaluate(`document.querySelector('${field(1, "gender")}').value`), "what was typed stays").toBe("w");
}, 60_000);

test("after the call the caller’s yes is written down beside the referral", async () => {
  desk.case.draft({ kind: "idva", fields: work.idvaFields() });
  desk.case.tell();
  desk.exhibit = states.sealed();
  desk.package = states.checklist();
  await inCall();
  await endCall();
  expect(await page.evaluate('document.querySelector("#part-consents").checkVisibility()')).toBe(false);
  await page.click("#tab-help");
  await page.click('.referral [data-act="consent"]');
  await until(page, 'document.activeElement.id === "consent-how"');
  expect(await violations(page)).toEqual([]);
  await picture(page, "work-after-help");
  await page.click("#consent-write");
  await expect.poll(() => asked("recordConsent").map(({ consents, takenBy }) => [(consents as { subject: string }[])[0]!.subject, takenBy])).toEqual([["idva/1", "pc-okafor"]]);
}, 60_000);

test("on a large screen people and help stand beside face and chat", async () => {
  desk.case.draft({ kind: "idva", fields: work.idvaFields() });
  desk.case.saved(create(PersonSchema, { role: 1, givenName: "Samira", familyName: "Haddad" }), "pc-okafor");
  await inCall(states.interpreted(), { width: 1920, height: 1080 });
  await faces(page);
  await page.click("#tab-people");
  await page.click(".person .p-head");
  await until(page, `document.querySelector('${field(1, "family_name")}').value === "Haddad"`);
  expect(await outOfView(page, REACH)).toEqual([]);
  await picture(page, "work-large-people");
  await page.click("#tab-help");
  await page.click(".r-says summary");
  expect(await outOfView(page, [...REACH, '.referral [data-act="send"]'])).toEqual([]);
  expect(await violations(page)).toEqual([]);
  await picture(page, "work-large-help");
}, 60_000);
