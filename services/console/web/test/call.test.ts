// A call that isn't followed for a while, and the windows that might have it.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type CallOptions, Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { body } from "../screens";
import { type Api, connect, type Officer } from "../src/api";
import { Call, HANDED_OVER, NOT_OURS, NOT_TAKEN } from "../src/call";
import { SilentCaller } from "../src/gen/alcove/intake/v1/service_pb";
import { Role, SessionSchema, SessionState, Standing, type WatchSessionResponse } from "../src/gen/alcove/session/v1/service_pb";
import { actOf } from "../src/keys";
import { OneWindow } from "../src/one-window";
import { lentTo } from "../src/place";

const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const OFFICER: Officer = { id: "pc-okafor", name: "PC Ada Okafor", force: "wmp", roles: [] };

interface Tell {
  moved(): void;
  ended(): void;
}
const camera = async (): Promise<unknown> => ({ getTracks: () => [], getAudioTracks: () => [] });
const media = vi.hoisted(() => ({ ways: [] as { traceparent: string }[], opened: [] as Tell[], closed: [] as boolean[], camera: async (): Promise<unknown> => null }));
vi.mock("../src/media", () => ({
  openCamera: () => media.camera(),
  Media: class {
    constructor(way: { traceparent: string }, _own: unknown, tell: Tell) {
      media.ways.push(way);
      media.opened.push(tell);
    }
    close(over = false) {
      media.closed.push(over);
    }
  },
}));

beforeEach(() => {
  vi.useFakeTimers();
  document.body.innerHTML = body(".");
  Object.defineProperty(document.getElementById("own")!, "srcObject", { value: null, writable: true });
  [media.ways, media.opened, media.closed, media.camera] = [[], [], [], camera];
  vi.stubGlobal("fetch", async () => Response.json({}));
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

/** A call that is live until `refused`. */
function live(silentCaller = SilentCaller.UNSPECIFIED) {
  const streams: { signal: AbortSignal; refuse(): void }[] = [];
  const join = vi.fn(async (_: unknown, { onHeader }: CallOptions) => {
    onHeader!(new Headers({ traceresponse: TRACE }));
    return { eventsUrl: "http://a.test/events" };
  });
  async function* watchSession(_: unknown, { signal }: { signal: AbortSignal }) {
    yield { session: create(SessionSchema, { state: SessionState.LIVE, silentCaller }) } as WatchSessionResponse;
    await new Promise((done, refused) => {
      const refuse = () => refused(new ConnectError("this sign-in is over", Code.Unauthenticated));
      signal.addEventListener("abort", done);
      streams.push({ signal, refuse });
    });
  }
  const over = vi.fn();
  const api = { session: { watchSession, joinSession: join } } as unknown as Api;
  return { call: new Call(api, OFFICER, "c1", false, over), streams, join, over };
}

test("a call that is followed again is neither joined anew nor heard any less", async () => {
  const { call, streams, join, over } = live();
  await pass(0);
  streams[0]!.refuse();
  await pass(20_000);
  expect(streams.length, "of no use without a sign-in").toBe(1);
  call.pause();
  const heard = vi.fn();
  call.resume(heard);
  await pass(0);
  expect([streams.length, heard.mock.calls.length, join.mock.calls.length, media.opened.length, media.closed]).toEqual([2, 1, 1, 1, []]);
  expect(media.ways.map(({ traceparent }) => traceparent), "its media are of the call's trace").toEqual([TRACE]);
  expect([over.mock.calls.length, call.left.aborted]).toEqual([0, false]);
  call.close();
  expect([streams[1]!.signal.aborted, call.left.aborted, media.closed]).toEqual([true, true, [false]]);
});

test("a code is asked for by whoever opens the call, unless there has been one or it is only watched", async () => {
  const codes = async (invited: boolean, observing: boolean) => {
    const issueInvitation = vi.fn(async () => ({ code: "K7QF-2M9X", pageUrl: "https://meet.example/", expiresAt: undefined }));
    async function* watchSession() {
      yield { session: create(SessionSchema, { state: SessionState.INVITED, ...(invited && { invitation: {} }) }) } as WatchSessionResponse;
      await new Promise(() => {});
    }
    const joinSession = async () => ({ eventsUrl: "http://a.test/events" });
    // Another window was quicker with the offer, or this one has been reloaded.
    const call = new Call({ session: { watchSession, joinSession, issueInvitation } } as unknown as Api, OFFICER, "c1", false, () => {}, observing);
    await pass(0);
    call.close();
    return issueInvitation.mock.calls.length;
  };
  expect([await codes(false, false), await codes(true, false), await codes(false, true)]).toEqual([1, 0, 0]);
});

test("whose call another officer has taken over leaves it, and whoever is given it back comes in again", async () => {
  const own = (participantId: string, standing: Standing) => ({ participantId, role: Role.OFFICER, officerId: OFFICER.id, standing });
  let say: (...participants: ReturnType<typeof own>[]) => void = () => {};
  async function* watchSession() {
    while (true) {
      const participants = await new Promise<ReturnType<typeof own>[]>((told) => (say = (...all) => told(all)));
      yield { session: create(SessionSchema, { state: SessionState.LIVE, participants }) } as WatchSessionResponse;
    }
  }
  const over = vi.fn();
  const joinSession = vi.fn(async () => ({ eventsUrl: "http://a.test/events" }));
  new Call({ session: { watchSession, joinSession } } as unknown as Api, OFFICER, "c1", false, over);
  const stands = async (...participants: ReturnType<typeof own>[]) => {
    await pass(0);
    say(...participants);
    await pass(0);
    return [over.mock.calls.length, joinSession.mock.calls.length];
  };
  expect(await stands(own("1", Standing.REMOVED)), "sent away the last time, and theirs again").toEqual([0, 1]);
  expect(await stands(own("1", Standing.REMOVED), own("2", Standing.IN))).toEqual([0, 1]);
  expect(await stands(own("1", Standing.REMOVED), own("2", Standing.REMOVED))).toEqual([1, 1]);
  expect([over.mock.calls, media.closed], "the session goes on without us").toEqual([[[HANDED_OVER]], [false]]);
});

test("a call that is given rings, and is joined when it is taken over, with a camera that is open already", async () => {
  const theirs = { participantId: "1", role: Role.OFFICER, officerId: "pc-singh", standing: Standing.IN };
  const given = { state: SessionState.LIVE, silentCaller: SilentCaller.TAPS_ONLY, successorOfficerId: OFFICER.id, participants: [theirs] };
  const streams: ((what: MessageInitShape<typeof SessionSchema>) => void)[] = [];
  async function* watchSession() {
    while (true) yield { session: create(SessionSchema, await new Promise<MessageInitShape<typeof SessionSchema>>((told) => streams.push(told))) } as WatchSessionResponse;
  }
  const hear = async (what: MessageInitShape<typeof SessionSchema>) => {
    await pass(0);
    streams.at(-1)!(what);
    await pass(0);
  };
  const order: string[] = [];
  let refuses = false;
  const joinSession = vi.fn(async () => {
    order.push("join");
    if (refuses) throw new ConnectError("it isn't theirs", Code.FailedPrecondition);
    return { eventsUrl: "http://a.test/events" };
  });
  const over = vi.fn();
  const by = (id: string) => document.getElementById(id)!;
  const call = new Call({ session: { watchSession, joinSession } } as unknown as Api, OFFICER, "c1", false, over);
  // The desk says it before the session does.
  await hear({ ...given, successorOfficerId: "" });
  await hear(given);
  expect([call.given, by("given").hidden, joinSession.mock.calls.length, document.activeElement?.id]).toEqual([true, false, 0, "take-over"]);
  expect(by("announce-now").textContent).toBe("A call is given to you. pc-singh is with the caller, and stays until you are in it. Take over when you are ready.");
  const press = vi.fn();
  by("take-over").addEventListener("click", press);
  actOf("F2")!();
  expect([press.mock.calls.length, document.title.includes("given to you")]).toEqual([1, true]);

  media.camera = () => Promise.reject(new Error("no camera"));
  await call.takeOver();
  expect([joinSession.mock.calls.length, by("given").hidden, by("given-trouble").textContent!.includes("can’t be used")], "nobody is sent away for a picture that can't come").toEqual([0, false, true]);

  const stop = vi.fn();
  media.camera = async () => (order.push("camera"), { getTracks: () => [{ stop }], getAudioTracks: () => [] });
  refuses = true;
  await call.takeOver();
  expect([order, stop.mock.calls.length, call.given, by("given").hidden, by("given-trouble").textContent]).toEqual([["camera", "join"], 1, true, false, "It isn't theirs."]);
  refuses = false;
  await Promise.all([call.takeOver(), call.takeOver()]);
  expect([order.slice(2), call.given, by("given").hidden, by("announce-now").textContent, document.title], "pressed twice, taken once").toEqual([["camera", "join"], false, true, "", "Alcove desk"]);
  await hear({ ...given, successorOfficerId: "", participants: [{ ...theirs, standing: Standing.REMOVED }, { ...theirs, participantId: "2", officerId: OFFICER.id }] });
  expect([joinSession.mock.calls.length, document.activeElement?.id]).toEqual([2, "chat-text"]);

  const next = new Call({ session: { watchSession, joinSession } } as unknown as Api, OFFICER, "c2", false, over);
  await hear(given);
  expect(by("given").hidden).toBe(false);
  await hear({ ...given, state: SessionState.ENDED, endReason: "CALLER_LEFT" });
  expect([next.left.aborted, over.mock.calls, by("given").hidden]).toEqual([true, [[NOT_TAKEN]], true]);
  call.close();
});

test("the call begins with the chat where the caller doesn't speak, once, and nowhere else", async () => {
  const { call } = live();
  await pass(0);
  expect([document.activeElement?.id, document.getElementById("brief")!.textContent]).toEqual(["", ""]);
  call.close();
  const silent = live(SilentCaller.TAPS_ONLY).call;
  await pass(0);
  expect(document.activeElement?.id).toBe("chat-text");
  expect(document.getElementById("brief")!.textContent).toContain("answers by taps: write, and ask nothing aloud");
  document.getElementById("mute")!.focus();
  silent.resume();
  await pass(0);
  expect(document.activeElement?.id, "the officer is elsewhere by now").toBe("mute");
  silent.close();
});

test("the session is asked for anew when its media go on with another instance, unless it isn't followed", async () => {
  const { call, streams, join } = live();
  await pass(0);
  media.opened[0]!.moved();
  await pass(0);
  expect(streams.map(({ signal }) => signal.aborted), "whoever told of it may know nothing any more").toEqual([true, false]);
  expect([join.mock.calls.length, media.opened.length, media.closed]).toEqual([1, 1, []]);
  call.pause();
  media.opened[0]!.moved();
  await pass(0);
  expect(streams.map(({ signal }) => signal.aborted), "of no use without a sign-in").toEqual([true, true]);
  call.close();
});

test("that the session has ended is the media's to say only while it isn't followed", async () => {
  const { call, over } = live();
  await pass(0);
  media.opened[0]!.ended();
  expect(over, "why it ended comes with the session").not.toHaveBeenCalled();
  call.pause();
  media.opened[0]!.ended();
  expect([over.mock.calls, media.closed]).toEqual([[[""]], [true]]);
});

test("a stream that is refused at its end says that we are signed out, and other ends don't", async () => {
  const trailer = (status: number) => {
    const text = new TextEncoder().encode(`grpc-status: ${status}\r\n`);
    return new Uint8Array([0x80, 0, 0, 0, text.length, ...text]);
  };
  for (const [status, told] of [[16, 1], [14, 0], [0, 0]] as const) {
    vi.stubGlobal("fetch", async () => new Response(trailer(status), { headers: { "content-type": "application/grpc-web+proto" } }));
    const signedOut = vi.fn();
    const { session } = connect("http://a.test", signedOut);
    await (async () => { for await (const _ of session.watchSession({})); })().catch(() => {});
    expect(signedOut).toHaveBeenCalledTimes(told);
  }
});

/** As a browser's: one holder at a time, the others in their turn. */
class Locks {
  private readonly held = new Map<string, Promise<unknown>>();

  async request(name: string, { ifAvailable = false, signal }: LockOptions, hold: (lock: Lock | null) => Promise<unknown>): Promise<unknown> {
    if (ifAvailable && this.held.has(name)) return hold(null);
    const stopped = new Promise<never>((_, stop) => signal?.addEventListener("abort", () => stop(new DOMException("", "AbortError"))));
    while (this.held.has(name)) await Promise.race([this.held.get(name), stopped]);
    const done = hold({ name, mode: "exclusive" });
    this.held.set(name, done);
    await done;
    this.held.delete(name);
    return done;
  }
}

test("a call is opened in one window, and in the next one when that has left it", async () => {
  vi.stubGlobal("navigator", { locks: new Locks() });
  const elsewhere = () => !document.getElementById("elsewhere")!.hidden;
  const [first, second, third] = [new OneWindow(), new OneWindow(), new OneWindow()];
  const calls = [new AbortController(), new AbortController(), new AbortController()];
  const opened: string[] = [];
  const open = (n: number) => () => (opened.push(String(n)), calls[n]!.signal);
  void first.take("c1", open(0));
  await pass(0);
  expect([opened, elsewhere()]).toEqual([["0"], false]);
  void second.take("c1", open(1));
  void second.take("c1", open(1));
  await pass(0);
  expect([opened, elsewhere(), second.elsewhere]).toEqual([["0"], true, true]);
  void third.take("c1", open(2));
  await pass(0);
  third.drop();
  calls[0]!.abort();
  await pass(0);
  expect([opened, elsewhere(), second.elsewhere], "who no longer wants it doesn't get it").toEqual([["0", "1"], false, false]);
  void first.take("c2", open(0));
  await pass(0);
  expect(opened, "another call is another matter").toEqual(["0", "1", "0"]);
});

test("a call of another force that isn’t ours any more is left, and one whose session doesn’t know yet whose it is isn’t", async () => {
  let refuse: (reason: string) => void = () => {};
  let streams = 0;
  async function* watchSession() {
    streams++;
    if (streams === 3) yield { session: create(SessionSchema, { state: SessionState.LIVE }) } as WatchSessionResponse;
    await new Promise((_, refused) => {
      refuse = (reason) => {
        const error = new ConnectError("no", Code.NotFound);
        error.details.push({ type: "google.rpc.ErrorInfo", value: new Uint8Array([0x0a, reason.length, ...new TextEncoder().encode(reason)]) });
        refused(error);
      };
    });
  }
  const over = vi.fn();
  const joinSession = vi.fn(async () => ({ eventsUrl: "http://a.test/events" }));
  new Call({ session: { watchSession, joinSession } } as unknown as Api, lentTo(OFFICER, "kent"), "c1", true, over);
  for (const known of [2, 3]) {
    await pass(0);
    refuse("UNKNOWN_SESSION");
    await pass(10_000);
    expect([streams, over.mock.calls]).toEqual([known, []]);
  }
  refuse("UNKNOWN_SESSION");
  await pass(10_000);
  // The caller goes on with somebody else: nothing says that the call has ended.
  expect([streams, over.mock.calls, media.closed]).toEqual([3, [[NOT_OURS]], [false]]);
});

test("a call of another force that was over before anything was heard of it is given up after half a minute", async () => {
  let streams = 0;
  async function* watchSession(): AsyncGenerator<WatchSessionResponse> {
    streams++;
    const error = new ConnectError("no", Code.NotFound);
    error.details.push({ type: "google.rpc.ErrorInfo", value: new Uint8Array([0x0a, 15, ...new TextEncoder().encode("UNKNOWN_SESSION")]) });
    throw error;
  }
  const over = vi.fn();
  const call = new Call({ session: { watchSession } } as unknown as Api, lentTo(OFFICER, "kent"), "c1", false, over);
  await pass(25_000);
  expect([over.mock.calls, call.left.aborted]).toEqual([[], false]);
  await pass(10_000);
  expect([over.mock.calls, call.left.aborted]).toEqual([[[NOT_OURS]], true]);
  const asked = streams;
  await pass(60_000);
  expect(streams, "it isn’t asked for again").toBe(asked);
});
