// What is due, on the sergeant's screen: loudest first, and whom to ring about what could not be delivered.
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ClockSchema, ClockState, type Due, DueSchema, FailedDeliverySchema } from "../src/gen/alcove/referral/v1/help_pb";
import { outOfView, pictures, scrolls, until, violations } from "./officer";
import { desk, page, seat, sit } from "./seat";
import { SERGEANT } from "./stand-in";
import * as states from "./states";

seat((at) => {
  at.officer = SERGEANT;
});

const clock = (incident: string, title: string, state: ClockState, inSeconds: number): Due =>
  create(DueSchema, { callId: incident, incident, what: { case: "clock", value: create(ClockSchema, { title, state, dueAt: states.ago(-inSeconds) }) } });
const due = (): Due[] => [
  clock("2026-11-26/1098", "Operation Encompass: before the next school day", ClockState.NEAR, 4000),
  clock("2026-11-20/0412", "Clare’s Law: 28 days", ClockState.MISSED, -90_000),
  clock("2026-11-26/1131", "Acknowledgement by the MASH", ClockState.NEAR, 900),
  create(DueSchema, {
    callId: "c",
    incident: "2026-11-26/1123",
    what: { case: "failedDelivery", value: create(FailedDeliverySchema, { title: "MARAC", partnerName: "Sandwell MARAC office", phone: "+441210000002", at: states.ago(700), problem: "their server has not answered for 4 hours" }) },
  }),
];

test("what is due stands on the overview, the loudest first", async () => {
  await sit();
  desk.exhibits = states.goingOn();
  desk.figures(states.figures());
  desk.desk(states.watched());
  await until(page, 'document.querySelectorAll("#hour-rows tr").length === 22');
  expect(await page.evaluate('document.querySelector("#due-pane").checkVisibility()'), "no room is taken for nothing").toBe(false);
  desk.due({ due: due() });
  await until(page, 'document.querySelectorAll("#due-rows li").length === 4');
  expect(await page.evaluate('[...document.querySelectorAll("#due-rows li")].map((one) => one.dataset.kind)')).toEqual(["failed", "missed", "near", "near"]);
  expect(await page.evaluate('document.querySelector("#due-rows .due-ring").textContent')).toBe("Ring Sandwell MARAC office: 01210 000002");
  expect(await page.evaluate('document.querySelectorAll("#due-rows .due-left strong")[1].textContent'), "the nearer of the two first").toMatch(/^1[45] minutes left$/);
  expect(await outOfView(page, ["#due-rows li:first-child", "#due-rows li:first-child a", "#now", "#alerts", "#hour-rows tr:first-child", "#overview-rows tr:first-child"])).toEqual([]);
  expect(await scrolls(page)).toBe(false);
  expect(await violations(page)).toEqual([]);
  await pictures(page, "overview-due");
  desk.due({ due: [] });
  await until(page, '!document.querySelector("#due-pane").checkVisibility()');
}, 60_000);
