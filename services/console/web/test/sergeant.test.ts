// What a sergeant is told: figures, alerts and lists, and when it sounds.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { beforeEach, expect, test, vi } from "vitest";
import { body } from "../screens";
import { Alerts } from "../src/alerts";
import type { Api } from "../src/api";
import { ExhibitState, ExhibitSummarySchema } from "../src/gen/alcove/evidence/v1/service_pb";
import { Gender, RiskGrade, Vulnerability } from "../src/gen/alcove/intake/v1/service_pb";
import { AlertKind, AlertSchema, DeskFiguresSchema, DeskNowSchema, OfficerAtDeskSchema, Presence, WaitingCallSchema, WatchFiguresResponseSchema } from "../src/gen/alcove/transfer/v1/service_pb";
import { Overview } from "../src/overview";
import { Reassign } from "../src/reassign";
import { clearSergeant } from "../src/sergeant";
import { alarm } from "../src/sound";
import { tickAges } from "../src/view/age";
import { inShort } from "../src/view/alerts";
import { renderHours, renderNow, renderWhole } from "../src/view/figures";
import { renderOfficers } from "../src/view/officers";
import { needs, renderWaiting } from "../src/view/overview";
import { given } from "../src/view/reassign";
import { renderSuccessor } from "../src/view/successor";

vi.mock("../src/sound", async (original) => ({ ...(await original<typeof import("../src/sound")>()), alarm: vi.fn() }));

const NOW = Date.parse("2026-11-24T19:00:00Z");
const at = (seconds: number) => timestampFromDate(new Date(NOW + seconds * 1000));
const text = (id: string) => document.getElementById(id)!.textContent;
const hidden = (id: string) => document.getElementById(id)!.hidden;
const all = (selector: string) => [...document.querySelectorAll<HTMLElement>(selector)];
const officer = { id: "sgt-price", name: "Sgt Carys Price", force: "wmp", roles: ["sergeant"] };
const alert = (what: MessageInitShape<typeof AlertSchema>) => create(AlertSchema, { count: 1, since: at(-60), ...what });
const waiting = (what: MessageInitShape<typeof WaitingCallSchema>) => create(WaitingCallSchema, { queuedAt: at(-90), ...what });

beforeEach(() => {
  document.body.innerHTML = body(".");
  vi.mocked(alarm).mockClear();
});

test("an alert sounds once, sounds again when it is raised again, and never into a call of the sergeant’s own", () => {
  const alerts = new Alerts({} as Api, officer);
  const declined = alert({ callId: "a", kind: AlertKind.DECLINED, officerId: "pc-singh" });
  const times = () => vi.mocked(alarm).mock.calls.map(([n]) => n);
  alerts.heard({ alerts: [declined], queue: [], officers: [] }, true);
  expect([times(), (document.getElementById("alerts-sign") as HTMLButtonElement).disabled, hidden("alerts-sign")], "seen, and not heard").toEqual([[], true, false]);
  alerts.heard({ alerts: [declined], queue: [], officers: [] }, false);
  alerts.heard({ alerts: [declined], queue: [], officers: [] }, false);
  expect([times(), text("announce-now")]).toEqual([[1], "Alert: Declined."]);
  alerts.heard({ alerts: [{ ...declined, count: 2 }], queue: [], officers: [] }, false);
  expect(times()).toEqual([1, 1]);
  alerts.heard({ alerts: [{ ...declined, count: 2 }, alert({ callId: "b", kind: AlertKind.FAST_TRACK })], queue: [], officers: [] }, false);
  expect([times(), text("announce-now"), text("alerts-sign")]).toEqual([[1, 1, 3], "Fast-track: Nobody sent yet.", "Nobody sent yet · 2 alerts"]);
  clearSergeant();
  expect([hidden("alerts-sign"), text("alert-rows")]).toEqual([true, ""]);
});

test("fast-track comes first, and only a call that an officer has can be watched", () => {
  const alerts = new Alerts({} as Api, officer);
  const queue = [waiting({ callId: "a", risk: RiskGrade.HIGH, incident: { date: "2026-11-24", number: "1123" } })];
  const of = [alert({ callId: "a", kind: AlertKind.WAITS_LONG, count: 3 }), alert({ callId: "b", kind: AlertKind.FAST_TRACK, officerId: "pc-singh" })];
  alerts.heard({ alerts: of, queue, officers: [there("pc-singh", Presence.FREE, "b")] }, false);
  expect(all("#alert-rows li").map((one) => [one.dataset.kind, one.querySelector(".alert-about")!.textContent, all(`#alert-rows [data-call="${one.dataset.call}"] button`).map(({ dataset }) => dataset.act)])).toEqual([
    ["fast_track", "In a call · pc-singh", ["watch", "see"]],
    ["waits_long", "High 1123 of 24 Nov 2026", ["see"]],
  ]);
  expect(inShort([of[0]!])).toBe("1 alert");
  alerts.heard({ alerts: [of[1]!], queue, officers: [there("pc-singh", Presence.FREE)] }, false);
  expect(all("#alert-rows li").map((one) => [one.querySelector(".alert-about")!.textContent, one.querySelectorAll("button").length]), "it outlives its call").toEqual([["The call is over · pc-singh", 1]]);
  alerts.heard({ alerts: [alert({ callId: "c", kind: AlertKind.CALLBACK_MISSED })], queue, officers: [] }, false);
  expect(text("alert-rows")).toContain("Not reached, or not safe to ring");
  expect(all("#alert-rows li").map((one) => [one.querySelector(".alert-about")!.textContent, one.querySelectorAll("button").length]), "there is nothing to watch").toEqual([["A call-back", 1]]);
  alerts.heard({ alerts: of, queue, officers: [there("pc-singh", Presence.FREE, "b")] }, false);
  const see = () => document.querySelector<HTMLElement>('[data-act="see"]')!;
  see().focus();
  alerts.heard({ alerts: [of[0]!], queue, officers: [] }, false);
  expect(document.activeElement, "the next is at hand").toBe(see());
  alerts.heard({ alerts: [], queue, officers: [] }, false);
  expect([document.activeElement!.id, hidden("alerts-none")]).toEqual(["alerts-title", false]);
});

test("an alert of the same words is announced once more", async () => {
  const said: string[] = [];
  new MutationObserver((all) => said.push(...all.flatMap(({ addedNodes }) => [...addedNodes].map((one) => one.textContent ?? "")).filter(Boolean))).observe(document.getElementById("announce-now")!, { childList: true });
  const alerts = new Alerts({} as Api, officer);
  const first = alert({ callId: "a", kind: AlertKind.DECLINED });
  alerts.heard({ alerts: [first], queue: [], officers: [] }, false);
  alerts.heard({ alerts: [first, alert({ callId: "b", kind: AlertKind.DECLINED })], queue: [], officers: [] }, false);
  await vi.waitFor(() => expect(said).toEqual(["Alert: Declined.", "Alert: Declined."]));
});

test("an alert is acknowledged as it was shown, and a refusal is said", async () => {
  const asked: object[] = [];
  const transfer = { acknowledgeAlert: async (request: object) => (asked.push(request), {}) };
  const alerts = new Alerts({ transfer } as unknown as Api, officer);
  alerts.heard({ alerts: [alert({ callId: "a", kind: AlertKind.NO_SKILL, count: 4 })], queue: [], officers: [] }, false);
  await alerts.see(`a/${AlertKind.NO_SKILL}/4`);
  await alerts.see(`a/${AlertKind.NO_SKILL}/3`);
  expect(asked).toMatchObject([{ callId: "a", kind: AlertKind.NO_SKILL, count: 4, forceId: "wmp", officerId: "sgt-price" }]);
  transfer.acknowledgeAlert = () => Promise.reject(new Error());
  await alerts.see(`a/${AlertKind.NO_SKILL}/4`);
  expect(text("overview-trouble")).toContain("can't be reached");
});

test("figures say what nobody can tell as a dash, and the longest wait goes on", () => {
  vi.useFakeTimers({ now: NOW });
  const figures = (id: string) => all(`#${id} .tile`).map((one) => `${one.textContent}${one.dataset.bad === "true" ? "!" : ""}`);
  renderNow(create(DeskNowSchema, { inCall: 2, free: 0 }));
  expect(figures("now"), "nobody free is no trouble while nobody waits").toEqual(["Waiting0", "Longest wait–", "In a call2", "Officers free0"]);
  renderNow(create(DeskNowSchema, { waiting: 3, waitingSince: at(-61), free: 0 }));
  expect(figures("now")).toEqual(["Waiting3!", "Longest wait1:01!", "In a call0", "Officers free0!"]);
  tickAges(NOW + 4000);
  expect(figures("now")[1]).toBe("Longest wait1:05!");
  renderWhole(create(DeskFiguresSchema, { came: 4, served: 2, unserved: 1, abandoned: 1, callbacksAgreed: 3, callbacksKept: 2, answerP50S: 65, answerP95S: 3700 }));
  expect(figures("whole")).toEqual(["Came4", "Served2", "Unserved1", "Abandoned1", "Call-backs kept2 of 3", "Half answered within1:05", "95 % answered within1:01:40"]);
  const hour = (hours: number, more: MessageInitShape<typeof DeskFiguresSchema>) => create(DeskFiguresSchema, { hour: at(hours * 3600), ...more });
  renderHours([hour(-20, { came: 1 }), hour(-1, { came: 2, served: 2, answerP50S: 5, answerP95S: 9 }), hour(0, { came: 3 })]);
  expect(all("#hour-rows tr").map((one) => [...one.children].map((cell) => cell.textContent))).toEqual([
    ["19:00 Tue 24", "3", "0", "0", "0", "–", "–"],
    ["18:00", "2", "2", "0", "0", "0:05", "0:09"],
    ["23:00 Mon 23", "1", "0", "0", "0", "–", "–"],
  ]);
  const october = (iso: string) => create(DeskFiguresSchema, { hour: timestampFromDate(new Date(iso)) });
  renderHours(["2026-10-24T23:00:00Z", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"].map(october));
  expect(all("#hour-rows th").map((one) => one.firstChild!.textContent), "the night with two of one hour").toEqual(["02:00", "01:00 GMT", "01:00 BST", "00:00"]);
  renderHours([]);
  expect([hidden("hours"), hidden("hours-none")]).toEqual([true, false]);
  vi.useRealTimers();
});

test("a caller’s needs are said in short, and a wait that nobody can tell is none", () => {
  expect(needs(waiting({}))).toBe("–");
  expect(needs(waiting({ language: "pa", officerAskedFor: Gender.WOMAN, childrenPresent: true, childMaySpeak: true, vulnerability: Vulnerability.GREAT }))).toBe(
    "Punjabi, a woman, a child may speak, very vulnerable");
  renderWaiting([waiting({ callId: "a", expectedWaitS: 240 }), waiting({ callId: "b" })]);
  expect(all("#overview-rows tr").map((one) => one.querySelector(".under")!.textContent)).toEqual(["told 4:00", "told no wait"]);
});

const there = (officerId: string, presence: Presence, callId = "", isOffer = false) => create(OfficerAtDeskSchema, { officerId, presence, callId, isOffer });

test("officers are there with what they have, who is in a call first; its record is known when it is heard of", async () => {
  const exhibit = (exhibitId: string, state: ExhibitState, parentExhibitId = "") => create(ExhibitSummarySchema, { exhibitId, callId: `c${exhibitId}`, reference: `ALC/${exhibitId}`, state, parentExhibitId });
  let exhibits = [exhibit("1", ExhibitState.OPEN), exhibit("2", ExhibitState.OPEN, "0"), exhibit("3", ExhibitState.SEALED)];
  let tell: (inCall: number) => void = () => {};
  const evidence = { listExhibits: async () => ({ exhibits }) };
  const transfer = {
    async *watchFigures(_: object, { signal }: { signal: AbortSignal }) {
      while (!signal.aborted) {
        const inCall = await new Promise<number>((told) => (tell = told));
        yield create(WatchFiguresResponseSchema, { now: { inCall } });
      }
    },
  };
  const screen = new Overview({ evidence, transfer } as unknown as Api, officer);
  renderOfficers([there("d", Presence.AWAY), there("c", Presence.FREE), there("b", Presence.FREE, "c9", true), there("a", Presence.FREE, "c4"), there("e", Presence.AWAY, "c1")]);
  const listed = () => all("#officers li").map((one) => [one.dataset.stands, ...[...one.children].map((part) => part.textContent)].join("|"));
  const acts = "Watch: the call of aGive…: the call of a";
  expect(listed()[0], "nobody has said yet whether it is recorded").toBe(`call|a|In a call|${acts}`);
  await vi.waitFor(() => expect(listed()).toEqual(
    [`call|a|In a call|Not recorded|${acts}`, `call|e|In a call|ALC/1|${acts.replaceAll("of a", "of e")}`, "offer|b|Has an offer", "free|c|Free", "away|d|Away"]));
  exhibits = [exhibit("4", ExhibitState.OPEN), ...exhibits];
  tell(2);
  await vi.waitFor(() => expect(listed()[0]).toContain("ALC/4"));
  screen.close();
  expect([listed()[0], text("now")], "nothing of it stays").toEqual([`call|a|In a call|${acts}`, ""]);
});

test("figures of one time are never shown as those of another", async () => {
  let answer: (figures: object) => void = () => {};
  let refuse: () => void = () => {};
  const transfer = {
    async *watchFigures() {
      yield create(WatchFiguresResponseSchema, { whole: { came: 24 }, hours: [{ hour: at(0) }] });
      await new Promise(() => {});
    },
    getDeskFigures: () => new Promise((told, failed) => ([answer, refuse] = [told, () => failed(new ConnectError("too long", Code.InvalidArgument))])),
  };
  const screen = new Overview({ transfer, evidence: {} } as unknown as Api, officer);
  await vi.waitFor(() => expect(text("whole")).toContain("Came24"));
  const month = screen.window(744);
  expect([text("whole"), text("hour-rows"), hidden("hours-none")]).toEqual(["", "", true]);
  refuse();
  await month;
  expect([text("whole"), text("overview-trouble")]).toEqual(["", "Too long."]);
  const week = screen.window(168);
  answer({ whole: create(DeskFiguresSchema, { came: 7 }), hours: [] });
  await week;
  expect([text("whole")!.includes("Came7"), hidden("hours-none")]).toEqual([true, false]);
  await screen.window(0);
  expect(text("whole")).toContain("Came24");
  screen.close();
});

test("a call is given to somebody who is free, with a reason, and what became of it is said", async () => {
  const asked: object[] = [];
  let answer: object | Error = { expiresAt: at(20) };
  const reassignCall = async (request: object) => {
    asked.push(request);
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const reassign = new Reassign({ transfer: { reassignCall } } as unknown as Api, officer);
  const options = () => all("#give-to option").map((one) => one.textContent);
  const dialog = document.getElementById("give") as HTMLDialogElement;
  reassign.heard([there("a", Presence.FREE, "c1"), there("b", Presence.AWAY)]);
  reassign.ask("c1", "a has it now.", false);
  expect([dialog.open, options(), hidden("give-nobody"), (document.getElementById("give-go") as HTMLButtonElement).disabled]).toEqual([true, ["Choose…"], false, true]);
  reassign.heard([there("a", Presence.FREE, "c1"), there("b", Presence.FREE), there("c", Presence.FREE)]);
  expect([options(), hidden("give-nobody"), (document.getElementById("give-go") as HTMLButtonElement).disabled], "somebody has come free meanwhile").toEqual([["Choose…", "b", "c"], true, false]);
  expect(given(), "nothing is chosen for them").toMatchObject({ toOfficerId: "", reason: "" });
  document.querySelector<HTMLSelectElement>("#give-to")!.value = "b";
  reassign.heard([there("c", Presence.FREE), there("a", Presence.FREE, "c1")]);
  expect(given().toOfficerId, "who was chosen has gone, and nobody is instead").toBe("");
  document.querySelector<HTMLSelectElement>("#give-why")!.value = "Has waited too long";
  document.querySelector<HTMLSelectElement>("#give-to")!.value = "c";
  reassign.heard([there("c", Presence.FREE)]);
  expect(given()).toEqual({ callId: "c1", toOfficerId: "c", reason: "Has waited too long" });
  await reassign.give(given());
  expect(asked).toMatchObject([{ callId: "c1", toOfficerId: "c", reason: "Has waited too long", officerId: "sgt-price", forceId: "wmp" }]);
  expect([dialog.open, text("overview-said")]).toEqual([false, "Offered to c, and to nobody else meanwhile."]);
  answer = {};
  await reassign.give(given());
  expect(text("overview-said")).toBe("c has the call. Who had it stays until they are in it.");
  answer = new ConnectError("c has a call", Code.FailedPrecondition);
  reassign.ask("c1", "", false);
  await reassign.give(given());
  expect([dialog.open, text("give-trouble")], "they may choose again").toEqual([true, "C has a call."]);
});

test("a call whose next officer doesn't come can be given back to who had it, though they are away", () => {
  const reassign = new Reassign({} as Api, officer);
  const options = () => all("#give-to option").slice(1).map((one) => one.textContent);
  reassign.heard([there("a", Presence.FREE, "c1"), there("b", Presence.FREE), there("d", Presence.AWAY)]);
  reassign.heard([there("a", Presence.AWAY), there("b", Presence.FREE, "c1"), there("c", Presence.FREE), there("d", Presence.AWAY)]);
  reassign.ask("c1", "b has it now.", false);
  expect(options()).toEqual(["c", "a, who had it before"]);
  const to = document.querySelector<HTMLSelectElement>("#give-to")!;
  to.value = "a";
  reassign.heard([there("a", Presence.AWAY), there("b", Presence.FREE, "c1")]);
  expect([options(), to.value]).toEqual([["a, who had it before"], "a"]);
  reassign.heard([there("b", Presence.FREE, "c1")]);
  expect([options(), hidden("give-nobody")], "not at the desk any more").toEqual([[], false]);
  reassign.ask("c2", "It waits.", false);
  reassign.heard([there("a", Presence.AWAY), there("b", Presence.FREE, "c1")]);
  expect(options(), "another call is another matter").toEqual([]);
});

test("who has a call is told that another takes it over, and that one isn’t", () => {
  renderSuccessor({ successorOfficerId: "pc-singh" }, "pc-okafor");
  expect([hidden("successor"), text("successor")!.split(".")[0]]).toEqual([false, "pc-singh takes this call over"]);
  renderSuccessor({ successorOfficerId: "pc-singh" }, "pc-singh");
  expect(hidden("successor")).toBe(true);
  renderSuccessor({ successorOfficerId: "" }, "pc-okafor");
  expect(hidden("successor")).toBe(true);
});
