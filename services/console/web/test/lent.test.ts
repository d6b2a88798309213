// Lent to another force: which desk the page is of, in whose name it asks there, and that no call is ever left for a desk.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { body } from "../screens";
import type { Officer } from "../src/api";
import { forceName } from "../src/format";
import { Presence, type SetPresenceRequest, type WatchDeskResponse, WatchDeskResponseSchema } from "../src/gen/alcove/transfer/v1/service_pb";
import { lentTo, placeOf } from "../src/place";

const PATEL: Officer = { id: "a.patel", name: "PC Asha Patel", force: "surrey", roles: ["desk_officer", "sergeant"] };
const NOW = new Date("2026-11-27T12:00:00Z");
const UNTIL = timestampFromDate(new Date("2026-11-27T18:00:00Z"));

class Feed {
  static all: Feed[] = [];
  closed = false;
  presence = async () => {};
  accept = async () => {};
  constructor(_api: unknown, readonly officer: Officer, readonly tell: { desk(desk: WatchDeskResponse): void; refused(): void }) {
    Feed.all.push(this);
  }
  close() {
    this.closed = true;
  }
  static get newest() {
    return Feed.all.at(-1)!;
  }
}

class Call {
  static all: Call[] = [];
  readonly left = new AbortController().signal;
  constructor(_api: unknown, readonly officer: Officer, readonly id: string, _mine: boolean, readonly over: (reason: string) => void) {
    Call.all.push(this);
  }
  close() {}
  resume() {}
  pause() {}
}

const went: SetPresenceRequest[] = [];
let refuses: ConnectError | undefined;
let slowly: Promise<void> | undefined;
let signedOut: () => void;
const setPresence = async (request: SetPresenceRequest) => {
  if (refuses) throw refuses;
  await slowly;
  went.push(request);
};

vi.mock("../src/call", () => ({ Call, HANDED_OVER: "HANDED_OVER", NOT_OURS: "NOT_OURS", NOT_TAKEN: "NOT_TAKEN" }));
vi.mock("../src/desk", () => ({ DeskFeed: Feed }));
vi.mock("../src/after", () => ({ After: class { close() {} } }));
vi.mock("../src/overview", () => ({ Overview: class { close() {} } }));
vi.mock("../src/evidence", () => ({ Evidence: class { close() {} } }));
vi.mock("../src/api", async (actual) => ({ ...(await actual<object>()), connect: (_: string, out: () => void) => ((signedOut = out), { transfer: { setPresence } }), here: async () => {}, whoAmI: async () => PATEL }));

const by = (id: string) => document.getElementById(id)!;
const text = (id: string) => by(id).textContent;
const pass = () => vi.advanceTimersByTimeAsync(0);
const go = () => document.querySelector<HTMLButtonElement>("#may-go button")!;
const lentToKent = { mayGoTo: [{ forceId: "kent", until: UNTIL }] };

async function desk(what: MessageInitShape<typeof WatchDeskResponseSchema>): Promise<void> {
  Feed.newest.tell.desk(create(WatchDeskResponseSchema, what));
  await pass();
}

beforeEach(async () => {
  vi.useFakeTimers({ now: NOW });
  vi.resetModules();
  vi.stubGlobal("BroadcastChannel", class { onmessage = () => {}; postMessage() {} });
  document.body.innerHTML = body(".");
  document.body.dataset.view = "loading";
  [Feed.all, Call.all] = [[], []];
  went.length = 0;
  refuses = slowly = undefined;
  await import("../src/main");
  await pass();
});

afterEach(() => {
  vi.clearAllTimers();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("who asks, and of which desk, is one thing: the same officer has another id and no more than an officer's role elsewhere", () => {
  expect(placeOf(PATEL)).toEqual({ forceId: "surrey", officerId: "a.patel" });
  const lent = lentTo(PATEL, "kent");
  expect([placeOf(lent), lent.roles]).toEqual([{ forceId: "kent", officerId: "a.patel@surrey" }, ["desk_officer"]]);
  expect(["kent", "wmp", "west-mercia"].map(forceName)).toEqual(["Kent", "WMP", "West Mercia"]);
});

test("an officer who is lent goes to the other desk and comes back, and each time the page is of one desk only", async () => {
  await desk({ ...lentToKent, presence: Presence.FREE, alerts: [{ callId: "c", count: 1 }] });
  expect(by("may-go").textContent).toBe("You are lent to Kent until 18:00.Go to Kent’s desk");
  go().click();
  await pass();
  expect(went.map(({ forceId, officerId, presence }) => [forceId, officerId, presence])).toEqual([["kent", "a.patel@surrey", Presence.FREE]]);
  expect(Feed.all.map(({ officer, closed }) => [officer.force, officer.id, closed])).toEqual([["surrey", "a.patel", true], ["kent", "a.patel@surrey", false]]);
  await desk({ presence: Presence.FREE });
  expect([text("place-name"), text("place-loan"), text("queue-title"), by("may-go").hidden]).toEqual(["Kent’s desk,", "lent by Surrey until 18:00", "You are offered calls here as they come.", true]);
  // Nothing of one's own desk is there: no way to a sergeant's screens or the evidence, and no alert.
  expect([document.body.dataset.lent, by("way-overview").hidden, by("alerts-sign").hidden, document.activeElement?.id]).toEqual(["yes", true, true, "desk-title"]);

  by("place-back").click();
  await pass();
  expect(went.at(-1)).toMatchObject({ forceId: "surrey", officerId: "a.patel", presence: Presence.FREE });
  await desk(lentToKent);
  expect([Feed.newest.officer, by("place").hidden, text("queue-title"), by("way-overview").hidden]).toEqual([PATEL, true, "Nobody is waiting.", false]);
});

test("a page that is loaded while its officer is at the other desk goes there by itself, and asks nothing for it", async () => {
  await desk({ ...lentToKent, atForceId: "kent" });
  expect([Feed.newest.officer.id, went, text("place-loan")]).toEqual(["a.patel@surrey", [], "lent by Surrey until 18:00"]);
});

test("a desk that would not have them any more is left with words, and never again gone to by itself", async () => {
  await desk({ ...lentToKent, atForceId: "kent" });
  Feed.newest.tell.refused();
  await pass();
  expect([Feed.newest.officer, text("missed")]).toEqual([PATEL, "You are not at Kent’s desk any more: the loan is over, or you went back in another window. This is your own desk."]);
  await desk({ atForceId: "kent" });
  expect(went.at(-1), "they come back, and are offered nothing before they say so").toMatchObject({ forceId: "surrey", officerId: "a.patel", presence: Presence.AWAY });
  expect(Feed.newest.officer).toBe(PATEL);
  await desk({});
  await desk({ atForceId: "kent" });
  expect(Feed.newest.officer.force, "gone to in another window").toBe("kent");
});

test("in a call the desk never changes; after a call of another force there is nothing of its evidence", async () => {
  await desk({ ...lentToKent, atForceId: "kent" });
  await desk({ currentCallId: "k1" });
  expect(Call.all.map(({ id, officer }) => [id, officer.id, officer.force])).toEqual([["k1", "a.patel@surrey", "kent"]]);
  Feed.newest.tell.refused();
  by("place-back").click();
  await pass();
  expect([Feed.newest.officer.force, went]).toEqual(["kent", []]);
  Call.all[0]!.over("OFFICER_ENDED");
  expect([document.body.dataset.view, text("missed")]).toEqual(["desk", "Call ended by you. Kent’s sergeant sees to what comes after it."]);
  Feed.newest.tell.refused();
  expect(Feed.newest.officer).toBe(PATEL);
  await desk({ ...lentToKent, currentCallId: "s1" });
  go().click();
  await pass();
  expect([Call.all.at(-1)!.officer, Feed.newest.officer, went]).toEqual([PATEL, PATEL, []]);
});

test("a call of another force that goes on with somebody else isn’t said to have ended", async () => {
  await desk({ ...lentToKent, atForceId: "kent" });
  await desk({ currentCallId: "k1" });
  Call.all[0]!.over("NOT_OURS");
  expect([document.body.dataset.view, text("missed")]).toEqual(["desk", "This call isn’t yours any more."]);
  await desk({ currentCallId: "k1" });
  expect(Call.all.length, "the desk is slower than the session").toBe(1);
});

test("who waits at one desk, and what became of a call there, is not on the page under another, nor after the sign-in is over", async () => {
  const left = () => [by("queue-rows").children.length, text("queue-count"), ...["queue", "queue-empty", "handed"].map((id) => by(id).hidden)];
  await desk({ ...lentToKent, currentCallId: "s1" });
  Call.all[0]!.over("HANDED_OVER");
  await desk({ ...lentToKent, queue: [{ callId: "s2" }] });
  expect(left()).toEqual([1, "1 call", false, true, false]);
  go().click();
  await pass();
  expect([Feed.newest.officer.force, left()]).toEqual(["kent", [0, "", true, true, true]]);
  by("place-back").click();
  await pass();
  await desk({ queue: [{ callId: "s2" }] });
  expect(left()).toEqual([1, "1 call", false, true, true]);
  signedOut();
  expect([document.body.dataset.view, left()]).toEqual(["sign-in", [0, "", true, true, true]]);
});

test("an offer that is accepted while the desk changes is not a call of the other desk", async () => {
  let answer: () => void = () => {};
  Feed.newest.accept = () => new Promise<void>((done) => (answer = done));
  by("offer").dataset.call = "s1";
  by("accept").click();
  await desk({ ...lentToKent, atForceId: "kent" });
  answer();
  await pass();
  expect([Feed.newest.officer.force, Call.all.length]).toEqual(["kent", 0]);
});

test("a call that comes while they go back keeps the page where it is", async () => {
  await desk({ ...lentToKent, atForceId: "kent" });
  let answer: () => void = () => {};
  slowly = new Promise<void>((done) => (answer = done));
  by("place-back").click();
  await desk({ currentCallId: "k1" });
  answer();
  await pass();
  expect([went.length, Feed.newest.officer.force, Call.all.map(({ id }) => id)]).toEqual([1, "kent", ["k1"]]);
});

test("who signs in again in a call of another force is at that desk still", async () => {
  await desk({ ...lentToKent, atForceId: "kent" });
  await desk({ currentCallId: "k1" });
  signedOut();
  expect([Feed.newest.closed, document.body.dataset.view]).toEqual([true, "call"]);
  await vi.advanceTimersByTimeAsync(2000);
  expect([Feed.newest.officer.force, Feed.newest.officer.id, Feed.newest.closed, text("place-name"), Call.all.length]).toEqual(["kent", "a.patel@surrey", false, "Kent’s desk,", 1]);
});

test("a refusal to go is said, and the page stays", async () => {
  await desk(lentToKent);
  refuses = new ConnectError("in a call", Code.FailedPrecondition);
  refuses.details.push({ type: "google.rpc.ErrorInfo", value: new Uint8Array([0x0a, 15, ...new TextEncoder().encode("OFFICER_IN_CALL")]) });
  go().click();
  await pass();
  expect([text("place-trouble"), Feed.all.length, go().disabled]).toEqual(["You have a call, or ring somebody back. Finish that first.", 1, false]);
});
