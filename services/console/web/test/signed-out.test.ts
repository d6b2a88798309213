// What becomes of a call, and of the screen, when the console no longer knows us.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { body } from "../screens";
import type { Officer } from "../src/api";
import type { WatchDeskResponse } from "../src/gen/alcove/transfer/v1/service_pb";

const OKAFOR: Officer = { id: "pc-okafor", name: "PC Ada Okafor", force: "wmp", roles: ["desk_officer"] };

/** What the page holds on to, as far as it shows here. */
class Feed {
  static all: Feed[] = [];
  open = true;
  presence = vi.fn(async () => {});
  constructor(_api: unknown, readonly officer: Officer, readonly tell: { desk(desk: WatchDeskResponse): void; line(up: boolean): void }) {
    Feed.all.push(this);
  }
  close() {
    this.open = false;
  }
  static get newest() {
    return Feed.all.at(-1)!;
  }
}

class Call {
  static all: Call[] = [];
  media = true;
  followed = true;
  heard = () => {};
  private readonly ended = new AbortController();
  readonly left = this.ended.signal;
  constructor(_api: unknown, _officer: Officer, readonly id: string, _mine: boolean, readonly over: (reason: string) => void, readonly observing = false) {
    Call.all.push(this);
  }
  pause() {
    this.followed = false;
  }
  resume(heard: () => void) {
    [this.followed, this.heard] = [true, heard];
  }
  close() {
    this.ended.abort();
    this.media = this.followed = false;
  }
}

/** The other windows of this browser. */
class Windows {
  static one: Windows;
  onmessage = () => {};
  readonly said: string[] = [];
  constructor(readonly name: string) {
    Windows.one = this;
  }
  postMessage = () => void this.said.push(this.name);
}

let me: Officer | undefined;
let refuse: () => void;
let asked: number;
let away: boolean;
const signOut = vi.fn(async () => ({ next: null }));
const by = (id: string) => document.getElementById(id)!;
const view = () => document.body.dataset.view;
const shown = () => !by("signed-out").hidden;
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const desk = (currentCallId: string) => Feed.newest.tell.desk({ currentCallId, queue: [], alerts: [], officers: [], callbacks: [], mayGoTo: [], atForceId: "", presence: 0 } as unknown as WatchDeskResponse);

vi.mock("../src/call", () => ({ Call }));
vi.mock("../src/desk", () => ({ DeskFeed: Feed }));
vi.mock("../src/after", () => ({ After: class { close() {} } }));
vi.mock("../src/api", async (actual) => ({
  ...(await actual<object>()),
  connect: (_: string, signedOut: () => void) => ((refuse = signedOut), {}),
  here: async () => {},
  signOut: () => signOut(),
  whoAmI: async () => {
    asked++;
    if (away) throw new Error("away");
    return me;
  },
}));

beforeEach(() => {
  vi.useFakeTimers();
  vi.resetModules();
  vi.stubGlobal("BroadcastChannel", Windows);
  document.body.innerHTML = body(".");
  [me, asked, away, Feed.all, Call.all] = [OKAFOR, 0, false, [], []];
  signOut.mockClear();
});

afterEach(() => {
  vi.clearAllTimers();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function begin(callId = ""): Promise<Call> {
  await import("../src/main");
  await pass(0);
  if (callId) desk(callId);
  await pass(0);
  asked = 0;
  return Call.all[0]!;
}

function lose(): void {
  me = undefined;
  refuse();
}

test("without a call, whom the console doesn't know sees the sign-in", async () => {
  await begin();
  expect(view()).toBe("desk");
  lose();
  expect([view(), shown(), Feed.newest.open]).toEqual(["sign-in", false, false]);
  await pass(20_000);
  expect(asked, "nobody is waited for").toBe(0);
});

test("in a call the media and the screen stay, a sign says so, and it takes no focus", async () => {
  const call = await begin("c1");
  by("end").removeAttribute("disabled");
  by("end").focus();
  lose();
  refuse();
  expect([view(), call.media, call.followed, Feed.newest.open, shown()]).toEqual(["call", true, false, false, true]);
  expect([by("signed-out-words").textContent, document.activeElement?.id]).toEqual(["You are signed out. The call goes on.", "end"]);
  const link = by("sign-in-again") as HTMLAnchorElement;
  expect([link.getAttribute("href"), link.target, link.rel]).toEqual(["/sign-in", "_blank", "noopener"]);
  expect(by("line").hidden, "it isn't the network").toBe(true);
  await pass(1_900);
  expect(asked).toBe(0);
  await pass(10_000);
  expect([asked, view(), call.media, shown()]).toEqual([5, "call", true, true]);
});

test("the same officer again: desk and session are followed anew, and the media were never touched", async () => {
  const call = await begin("c1");
  lose();
  away = true;
  await pass(10_000);
  [away, me] = [false, { ...OKAFOR, roles: ["desk_officer", "sergeant"] }];
  by("sign-in-again").focus();
  await pass(5_100);
  expect([Feed.all.length, Feed.newest.open, Feed.newest.officer.roles.length, call.followed]).toEqual([2, true, 2, true]);
  expect([by("way-overview").hidden, by("way-rota").hidden], "they are a sergeant by now").toEqual([false, false]);
  desk("c1");
  expect(shown(), "the session's service may still refuse us").toBe(true);
  call.heard();
  expect([shown(), view(), call.media, Call.all.length, document.activeElement?.id]).toEqual([false, "call", true, 1, "call-title"]);
  const done = asked;
  await pass(20_000);
  expect(asked).toBe(done);
  lose();
  expect([shown(), view(), call.media], "and once more").toEqual([true, "call", true]);
});

test("a service that refuses what the console takes leaves the sign where it is, and is asked again", async () => {
  const call = await begin("c1");
  refuse();
  for (let round = 1; round <= 3; round++) {
    await pass(2_100);
    desk("c1");
    expect([asked, Feed.all.length, shown()]).toEqual([round, round + 1, true]);
    refuse();
  }
  expect(call.media).toBe(true);
});

test("somebody else who signs in there finds nothing of the call", async () => {
  for (const other of [{ ...OKAFOR, id: "pc-singh" }, { ...OKAFOR, force: "gmp" }]) {
    vi.resetModules();
    [me, Feed.all, Call.all] = [OKAFOR, [], []];
    const call = await begin("c1");
    lose();
    me = other;
    await pass(2_100);
    expect([view(), call.media, shown(), Feed.all.length]).toEqual(["sign-in", false, false, 1]);
  }
});

test("a call that ends meanwhile is said to have ended", async () => {
  const call = await begin("c1");
  lose();
  call.close();
  call.over("");
  expect([view(), by("sign-in-trouble").textContent, shown()]).toEqual(["sign-in", "The call has ended.", false]);
  await pass(20_000);
  expect(asked).toBe(0);
});

test("another officer's call is not ours to stay in", async () => {
  await begin();
  by("exhibit").dataset.call = "c9";
  by("observe").click();
  const [call] = Call.all;
  // Which is an observer's is known to whoever opens it.
  expect([view(), call?.observing]).toEqual(["call", true]);
  lose();
  expect([view(), call?.media, shown()]).toEqual(["sign-in", false, false]);
});

test("who signs out in a call is asked first, and then leaves it, in every window", async () => {
  const call = await begin("c1");
  const dialog = by("sign-out-ask") as HTMLDialogElement;
  by("sign-out").click();
  expect([dialog.open, call.media, signOut.mock.calls.length]).toEqual([true, true, 0]);
  expect(dialog.textContent).toContain("You are in a call. Signing out ends your part of it.");
  by("sign-out-stay").click();
  expect([dialog.open, call.media, Feed.newest.open]).toEqual([false, true, true]);

  by("sign-out").click();
  by("sign-out-go").click();
  await pass(0);
  expect([dialog.open, view(), call.media, Feed.newest.open, signOut.mock.calls.length]).toEqual([false, "sign-in", false, false, 1]);
  expect([Feed.newest.presence.mock.calls.length, Windows.one.said]).toEqual([1, ["alcove.sign-out"]]);
  refuse();
  expect([view(), shown()], "what is refused after that says nothing").toEqual(["sign-in", false]);
});

test("a sign-out in another window leaves the call here", async () => {
  const call = await begin("c1");
  Windows.one.onmessage();
  expect([view(), call.media, shown()]).toEqual(["sign-in", false, false]);
});

test("without a call nobody is asked", async () => {
  await begin();
  by("sign-out").click();
  await pass(0);
  expect([(by("sign-out-ask") as HTMLDialogElement).open, view(), signOut.mock.calls.length]).toEqual([false, "sign-in", 1]);
});
