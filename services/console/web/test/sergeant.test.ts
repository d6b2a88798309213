// What a sergeant is told: figures, alerts and lists, and when it sounds.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { beforeEach, expect, test, vi } from "vitest";
import { page } from "../screens";
import { Alerts, clearAlerts } from "../src/alerts";
import type { Api } from "../src/api";
import { ExhibitState, ExhibitSummarySchema } from "../src/gen/alcove/evidence/v1/service_pb";
import { Gender, RiskGrade, Vulnerability } from "../src/gen/alcove/intake/v1/service_pb";
import { AlertKind, AlertSchema, DeskFiguresSchema, DeskNowSchema, WaitingCallSchema, WatchFiguresResponseSchema } from "../src/gen/alcove/transfer/v1/service_pb";
import { Overview } from "../src/overview";
import { alarm } from "../src/sound";
import { tickAges } from "../src/view/age";
import { inShort } from "../src/view/alerts";
import { renderHours, renderNow, renderWhole } from "../src/view/figures";
import { needs, renderWaiting } from "../src/view/overview";

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
  document.body.innerHTML = /<body[^>]*>([\s\S]*)<script/.exec(page("."))![1]!;
  vi.mocked(alarm).mockClear();
});

test("an alert sounds once, sounds again when it is raised again, and never into a call of the sergeant’s own", () => {
  const alerts = new Alerts({} as Api, officer);
  const declined = alert({ callId: "a", kind: AlertKind.DECLINED, officerId: "pc-singh" });
  const times = () => vi.mocked(alarm).mock.calls.map(([n]) => n);
  alerts.heard({ alerts: [declined], queue: [] }, true);
  expect([times(), (document.getElementById("alerts-sign") as HTMLButtonElement).disabled, hidden("alerts-sign")], "seen, and not heard").toEqual([[], true, false]);
  alerts.heard({ alerts: [declined], queue: [] }, false);
  alerts.heard({ alerts: [declined], queue: [] }, false);
  expect([times(), text("announce-now")]).toEqual([[1], "Alert: Declined."]);
  alerts.heard({ alerts: [{ ...declined, count: 2 }], queue: [] }, false);
  expect(times()).toEqual([1, 1]);
  alerts.heard({ alerts: [{ ...declined, count: 2 }, alert({ callId: "b", kind: AlertKind.FAST_TRACK })], queue: [] }, false);
  expect([times(), text("announce-now"), text("alerts-sign")]).toEqual([[1, 1, 3], "Fast-track: Nobody sent yet.", "Nobody sent yet · 2 alerts"]);
  clearAlerts();
  expect([hidden("alerts-sign"), text("alert-rows")]).toEqual([true, ""]);
});

test("fast-track comes first, and only a call that an officer has can be watched", () => {
  const alerts = new Alerts({} as Api, officer);
  const queue = [waiting({ callId: "a", risk: RiskGrade.HIGH, incident: { date: "2026-11-24", number: "1123" } })];
  const of = [alert({ callId: "a", kind: AlertKind.WAITS_LONG, count: 3 }), alert({ callId: "b", kind: AlertKind.FAST_TRACK, officerId: "pc-singh" })];
  alerts.heard({ alerts: of, queue }, false);
  expect(all("#alert-rows li").map((one) => [one.dataset.kind, one.querySelector(".alert-about")!.textContent, all(`#alert-rows [data-call="${one.dataset.call}"] button`).map(({ dataset }) => dataset.act)])).toEqual([
    ["fast_track", "In a call · pc-singh", ["watch", "see"]],
    ["waits_long", "High 1123 of 2026-11-24", ["see"]],
  ]);
  expect(inShort([of[0]!])).toBe("1 alert");
  const see = () => document.querySelector<HTMLElement>('[data-act="see"]')!;
  see().focus();
  alerts.heard({ alerts: [of[0]!], queue }, false);
  expect(document.activeElement, "the next is at hand").toBe(see());
  alerts.heard({ alerts: [], queue }, false);
  expect([document.activeElement!.id, hidden("alerts-none")]).toEqual(["alerts-title", false]);
});

test("an alert is acknowledged as it was shown, and a refusal is said", async () => {
  const asked: object[] = [];
  const transfer = { acknowledgeAlert: async (request: object) => (asked.push(request), {}) };
  const alerts = new Alerts({ transfer } as unknown as Api, officer);
  alerts.heard({ alerts: [alert({ callId: "a", kind: AlertKind.NO_SKILL, count: 4 })], queue: [] }, false);
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
  renderWhole(create(DeskFiguresSchema, { came: 4, served: 2, unserved: 1, abandoned: 1, answerP50S: 65, answerP95S: 3700 }));
  expect(figures("whole")).toEqual(["Came4", "Served2", "Unserved1", "Abandoned1", "Half answered in1:05", "95 % answered in1:01:40"]);
  const hour = (hours: number, more: MessageInitShape<typeof DeskFiguresSchema>) => create(DeskFiguresSchema, { hour: at(hours * 3600), ...more });
  renderHours([hour(-20, { came: 1 }), hour(-1, { came: 2, served: 2, answerP50S: 5, answerP95S: 9 }), hour(0, { came: 3 })]);
  expect(all("#hour-rows tr").map((one) => [...one.children].map((cell) => cell.textContent))).toEqual([
    ["19:00 Tue 24", "3", "0", "0", "0", "–", "–"],
    ["18:00", "2", "2", "0", "0", "0:05", "0:09"],
    ["23:00 Mon 23", "1", "0", "0", "0", "–", "–"],
  ]);
  renderHours([]);
  expect([hidden("hours"), hidden("hours-none")]).toEqual([true, false]);
  vi.useRealTimers();
});

test("a caller’s needs are said in short, and a wait that nobody can tell is none", () => {
  expect(needs(waiting({}))).toBe("–");
  expect(needs(waiting({ language: "pa", officerAskedFor: Gender.WOMAN, childrenPresent: true, childMaySpeak: true, vulnerability: Vulnerability.GREAT }))).toBe(
    "Punjabi, a woman, a child may speak, very vulnerable");
  renderWaiting([waiting({ callId: "a", expectedWaitS: 240 }), waiting({ callId: "b" })]);
  expect(all("#overview-rows tr").map((one) => one.children[2]!.textContent)).toEqual(["4:00", "–"]);
});

test("what is recorded now can be watched, and is asked for again when an officer has another call", async () => {
  const exhibit = (exhibitId: string, state: ExhibitState, parentExhibitId = "") => create(ExhibitSummarySchema, { exhibitId, callId: `c${exhibitId}`, state, parentExhibitId });
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
  const watched = () => all("#going button").map((one) => one.dataset.watch);
  await vi.waitFor(() => expect(watched()).toEqual(["c1"]));
  exhibits = [exhibit("4", ExhibitState.OPEN), ...exhibits];
  tell(2);
  await vi.waitFor(() => expect(watched()).toEqual(["c4", "c1"]));
  expect(text("going-count")).toBe("2");
  screen.close();
  expect([watched(), text("now")], "nothing of it stays").toEqual([[], ""]);
});
