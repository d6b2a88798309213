import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Media } from "../src/media";

/** A connection that is up as soon as it has an answer. */
class Connection {
  connectionState = "new";
  localDescription = { sdp: "v=0\r\n" };
  onconnectionstatechange = () => {};
  addTransceiver() {}
  getSenders = () => [];
  restartIce() {}
  createOffer = async () => ({});
  setLocalDescription = async () => {};
  setRemoteDescription = async () => {
    this.connectionState = "connected";
    this.onconnectionstatechange();
  };
  close() {
    this.connectionState = "closed";
  }
}

let asked: string[];
/** And with what. */
let borne: string[];
let covers: boolean[];
let asks: string[];
let events: ReadableStreamDefaultController<Uint8Array>;
/** Each question of events, and how the next ones are answered, if not as usual. */
let followed: AbortSignal[];
let refusals: (number | undefined)[];
let moves: number;
/** The answer to whatever is no question of events. */
let answer: (method: string, path: string, init: RequestInit) => Promise<Response>;

const taken = async (method: string) =>
  method === "POST" ? new Response("v=0\r\n", { status: 201, headers: { location: "/whip/1" } }) : new Response();
const posts = () => asked.filter((one) => one === "POST /whip").length;
const tell = (publishing: string[]) => {
  const all = publishing.map((participant_id) => ({ participant_id, role: "guest", track: participant_id }));
  const session = { state: "live", publishing: all, held: [] };
  events.enqueue(new TextEncoder().encode(`event: session\ndata: ${JSON.stringify(session)}\n\n`));
};
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers();
  [asked, borne, covers, asks, answer] = [[], [], [], [], taken];
  [followed, refusals, moves] = [[], [], 0];
  vi.stubGlobal("RTCPeerConnection", Connection);
  vi.stubGlobal("MediaStream", class {});
  vi.stubGlobal("fetch", async (url: string, init: RequestInit = {}) => {
    const { pathname } = new URL(url);
    const { authorization, traceparent } = init.headers as Record<string, string>;
    borne.push(`${init.method ?? "GET"} ${pathname} ${authorization} ${traceparent}`);
    if (pathname === "/events") {
      followed.push(init.signal!);
      const status = refusals.shift();
      if (status) return new Response(null, { status });
      const mine: ReadableStream<Uint8Array> = new ReadableStream({ start: (stream) => void (events = stream) });
      const stream = events;
      init.signal!.addEventListener("abort", () => stream.error(new Error("given up")));
      return new Response(mine);
    }
    asked.push(`${init.method} ${pathname}`);
    return answer(init.method ?? "GET", pathname, init);
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

function open(): Media {
  const own = { getTracks: () => [{ kind: "audio" }] } as unknown as MediaStream;
  const at = (path: string) => `http://a.test${path}`;
  const way = { participantId: "we", token: "t", traceparent: TRACE, iceServers: [], whipUrl: at("/whip"), whepUrl: at("/whep"), eventsUrl: at("/events") };
  return new Media(way, own, { pictures: () => {}, changed: () => {}, moved: () => void (moves += 1), ended: () => {}, covered: (is) => covers.push(is), asked: (how, at) => asks.push(`${how} ${at.toISOString()}`) });
}

test("what we publish is made anew when whoever tells of the call knows nothing of it", async () => {
  const media = open();
  await pass(100);
  tell(["we"]);
  await pass(10_000);
  expect([posts(), media.sending]).toEqual([1, true]);
  tell([]);
  await pass(2_900);
  expect(posts(), "it may only be slow").toBe(1);
  // Others come and go meanwhile.
  tell(["they"]);
  await pass(200);
  expect([posts(), asked.includes("DELETE /whip/1"), media.sending]).toEqual([2, true, true]);
  await pass(5_800);
  expect(posts(), "in vain: so it has longer").toBe(2);
  await pass(200);
  expect(posts()).toBe(3);
  media.close();
});

test("what we publish is left alone while nobody tells of the call", async () => {
  const media = open();
  await pass(100);
  tell([]);
  await pass(1_000);
  events.error(new Error("cut"));
  await pass(10_000);
  expect([posts(), media.sending]).toEqual([1, true]);
  media.close();
});

test("who has lost sight of the call is listened to until another tells of it", async () => {
  refusals = [undefined, 503, 503];
  const media = open();
  await pass(100);
  tell(["we"]);
  const say = (event: string, data: object) => events.enqueue(new TextEncoder().encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
  say("again", {});
  say("again", {});
  await pass(300);
  expect([followed.length, followed[0]!.aborted, moves], "asked twice in vain").toEqual([3, false, 0]);
  say("cover", { covered: true });
  await pass(100);
  expect(covers, "it still tells").toEqual([true]);
  await pass(1_000);
  expect([followed.length, followed[0]!.aborted, followed[3]!.aborted, moves]).toEqual([4, true, false, 1]);
  // The other has taken it over and knows nobody.
  tell([]);
  await pass(3_100);
  expect([posts(), followed.length]).toEqual([2, 4]);
  media.close();
  expect(followed[3]!.aborted).toBe(true);
});

test("who has lost sight of a call that is over is not listened to any more", async () => {
  refusals = [undefined, 503, 410];
  const media = open();
  await pass(100);
  events.enqueue(new TextEncoder().encode("event: again\ndata: {}\n\n"));
  await pass(1_000);
  expect([followed[0]!.aborted, moves], "whoever follows the session asks anew, and hears of its end").toEqual([true, 1]);
  media.close();
});

/** What no answer comes to: the network swallows it. */
const swallowed = ({ signal }: RequestInit) =>
  new Promise<Response>((_, reject) => signal?.addEventListener("abort", () => reject(new Error("given up"))));

test("an offer that gets no answer is made again", async () => {
  let lost = 1;
  answer = (method, _, init) => (lost-- > 0 ? swallowed(init) : taken(method));
  const media = open();
  await pass(7_900);
  expect([posts(), media.sending]).toEqual([1, false]);
  await pass(600);
  expect([posts(), media.sending]).toEqual([2, true]);
  media.close();
});

test("a muted microphone is said until it is heard, the last word only, and again of the next track", async () => {
  const said: string[] = [];
  const off = '{"sound":false,"reason":"on the radio"}';
  let well = false;
  answer = async (method, path, init) => {
    if (path !== "/state") return taken(method);
    said.push(String(init.body));
    return well ? new Response(null, { status: 204 }) : new Response(null, { status: 503 });
  };
  const media = open();
  await pass(100);
  tell(["we"]);
  void media.told(false);
  void media.told(true);
  void media.told(false, "on the radio");
  await pass(2_000);
  expect(said.length).toBeGreaterThan(4);
  expect(new Set(said.slice(3))).toEqual(new Set([off]));
  well = true;
  await pass(2_000);
  const heard = said.length;
  await pass(20_000);
  expect(said.length).toBe(heard);
  // Made anew, as whenever the server knows nothing of it any more.
  tell([]);
  await pass(3_100);
  expect([posts(), said.length, said.at(-1)]).toEqual([2, heard + 1, off]);
  void media.told(true);
  await pass(6_100);
  expect([posts(), said.length]).toEqual([3, heard + 2]);
  media.close();
});

test("that the caller has turned their microphone off is heard from the events, and that it is on", async () => {
  const media = open();
  await pass(100);
  const hear = async (role: string, sound: boolean) => {
    const session = { state: "live", publishing: [{ participant_id: "they", role, track: "they-1", sound }], held: [] };
    events.enqueue(new TextEncoder().encode(`event: session\ndata: ${JSON.stringify(session)}\n\n`));
    await pass(100);
    return media.silent;
  };
  expect([media.silent, await hear("guest", true), await hear("guest", false), await hear("guest", true)]).toEqual([false, false, true, false]);
  expect(await hear("helper", false), "an interpreter's is not the caller's").toBe(false);
  media.close();
});

test("that the caller asks for help is heard from the events", async () => {
  const media = open();
  await pass(100);
  events.enqueue(new TextEncoder().encode(`event: call\ndata: {"how":"corner","at":"2026-11-24T19:00:00.123456Z"}\n\n`));
  await pass(100);
  expect(asks).toEqual(["corner 2026-11-24T19:00:00.123Z"]);
  media.close();
});

test("that the call is covered is heard from the events", async () => {
  const media = open();
  await pass(100);
  for (const covered of [true, false]) events.enqueue(new TextEncoder().encode(`event: cover\ndata: ${JSON.stringify({ covered })}\n\n`));
  tell(["we"]);
  await pass(100);
  expect([covers, media.sending]).toEqual([[true, false], true]);
  media.close();
});

test("whatever is asked about a call's media bears our token, and is of the call's trace", async () => {
  answer = async (method, path) => (method === "PATCH" ? new Response("", { status: 200 }) : path === "/state" ? new Response(null, { status: 204 }) : taken(method));
  const media = open();
  await pass(100);
  tell(["we", "they"]);
  await pass(100);
  await media.told(false);
  dispatchEvent(new Event("online"));
  await pass(1_000);
  media.close();
  await pass(100);
  const kinds = ["POST /whip", "POST /whep/they", "GET /events", "POST /state", "PATCH /whip/1", "DELETE /whip/1"];
  expect(kinds.filter((kind) => !borne.some((one) => one.startsWith(`${kind} `)))).toEqual([]);
  expect(borne.filter((one) => !one.endsWith(` Bearer t ${TRACE}`))).toEqual([]);
});
