// Which call the page opens, as the desk names them, and what is left before.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { body } from "../screens";
import type { Officer } from "../src/api";
import { type WatchDeskResponse, WatchDeskResponseSchema } from "../src/gen/alcove/transfer/v1/service_pb";

const PRICE: Officer = { id: "sgt-price", name: "Sgt Carys Price", force: "wmp", roles: ["sergeant", "desk_officer"] };

class Feed {
  static newest: Feed;
  presence = async () => {};
  constructor(_api: unknown, _officer: Officer, readonly tell: { desk(desk: WatchDeskResponse): void }) {
    Feed.newest = this;
  }
  accept = async () => {};
  close() {}
}

class Call {
  static all: Call[] = [];
  given = false;
  private readonly ended = new AbortController();
  readonly left = this.ended.signal;
  constructor(_api: unknown, _officer: Officer, readonly id: string, readonly mine: boolean, readonly over: (reason: string) => void, readonly observing = false) {
    Call.all.push(this);
  }
  close() {
    this.ended.abort();
  }
  resume() {}
  pause() {}
  static get newest() {
    return Call.all.at(-1)!;
  }
}

vi.mock("../src/call", () => ({ Call, HANDED_OVER: "HANDED_OVER", NOT_OURS: "NOT_OURS", NOT_TAKEN: "NOT_TAKEN" }));
vi.mock("../src/desk", () => ({ DeskFeed: Feed }));
vi.mock("../src/after", () => ({ After: class { close() {} } }));
vi.mock("../src/overview", () => ({ Overview: class { close() {} } }));
vi.mock("../src/evidence", () => ({ Evidence: class { close() {} } }));
vi.mock("../src/api", async (actual) => ({ ...(await actual<object>()), connect: () => ({}), here: async () => {}, whoAmI: async () => PRICE }));

const by = (id: string) => document.getElementById(id)!;
const view = () => document.body.dataset.view;
const pass = (ms = 0) => vi.advanceTimersByTimeAsync(ms);
const opened = () => Call.all.map(({ id, observing, left }) => `${id}${observing ? " watched" : ""}${left.aborted ? " left" : ""}`);

async function desk(what: MessageInitShape<typeof WatchDeskResponseSchema>): Promise<void> {
  Feed.newest.tell.desk(create(WatchDeskResponseSchema, what));
  await pass();
}

function watch(id: string): void {
  by("exhibit").dataset.call = id;
  by("observe").click();
}

beforeEach(async () => {
  vi.useFakeTimers();
  vi.resetModules();
  vi.stubGlobal("BroadcastChannel", class { onmessage = () => {}; postMessage() {} });
  document.body.innerHTML = body(".");
  document.body.dataset.view = "loading";
  Call.all = [];
  await import("../src/main");
  await pass();
  await desk({});
});

afterEach(() => {
  vi.clearAllTimers();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a call that was handed over is opened again when it is given back, and what has ended isn't", async () => {
  await desk({ currentCallId: "c1" });
  await desk({ currentCallId: "c1" });
  expect(opened()).toEqual(["c1"]);
  Call.newest.over("HANDED_OVER");
  await desk({ currentCallId: "c1" });
  expect([opened().length, view()], "the desk is slower than the session").toEqual([1, "desk"]);
  await desk({});
  await desk({ currentCallId: "c1" });
  expect([opened().length, view()]).toEqual([2, "call"]);

  // The desk names another as soon as it is given away, long before they have come.
  await desk({});
  Call.newest.over("HANDED_OVER");
  await desk({ currentCallId: "c1" });
  expect(opened().length, "given back at once").toBe(3);
});

test("only who has accepted a call just now has accepted it: given back later, it is another matter", async () => {
  by("offer").dataset.call = "c1";
  by("accept").click();
  await pass();
  await desk({ currentCallId: "c1" });
  Call.newest.over("HANDED_OVER");
  await desk({});
  await desk({ currentCallId: "c1" });
  expect(Call.all.map(({ mine }) => mine)).toEqual([true, false]);
});

test("who watches a call and is given it no longer only watches", async () => {
  watch("c1");
  expect([opened(), view()]).toEqual([["c1 watched"], "call"]);
  await desk({});
  expect(opened()).toEqual(["c1 watched"]);
  await desk({ currentCallId: "c1" });
  await desk({ currentCallId: "c1" });
  expect([opened(), view()]).toEqual([["c1", "c1"].map((id, n) => (n ? id : `${id} watched left`)), "call"]);
});

test("a call that was given and isn't taken over goes from the page with it", async () => {
  await desk({ currentCallId: "c1" });
  Call.newest.given = true;
  await desk({});
  expect([opened(), view(), by("missed").textContent]).toEqual([["c1 left"], "desk", "The call that was given to you is somebody else’s again."]);
  await desk({ currentCallId: "c1" });
  Call.newest.over("NOT_TAKEN");
  expect([view(), by("missed").textContent]).toEqual(["desk", "The call that was given to you has ended."]);
});

test("the sign of alerts leaves a call that is only watched, and never one's own", async () => {
  const sign = by("alerts-sign") as HTMLButtonElement;
  watch("c9");
  sign.click();
  await pass();
  expect([opened(), view()]).toEqual([["c9 watched left"], "overview"]);

  // Accepted, and the desk has not said so yet: the sign is there still.
  by("offer").dataset.call = "c1";
  by("accept").click();
  await pass();
  expect(view()).toBe("call");
  sign.disabled = false;
  sign.click();
  expect([opened().at(-1), view()]).toEqual(["c1", "call"]);
});
