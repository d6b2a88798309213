import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Media } from "../src/media";

/** A connection that is up as soon as it has an answer. */
class Connection {
  connectionState = "new";
  localDescription = { sdp: "v=0\r\n" };
  onconnectionstatechange = () => {};
  addTransceiver() {}
  getSenders = () => [];
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
let events: ReadableStreamDefaultController<Uint8Array>;
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
  [asked, answer] = [[], taken];
  vi.stubGlobal("RTCPeerConnection", Connection);
  vi.stubGlobal("MediaStream", class {});
  vi.stubGlobal("fetch", async (url: string, init: RequestInit = {}) => {
    const { pathname } = new URL(url);
    if (pathname === "/events") return new Response(new ReadableStream({ start: (stream) => void (events = stream) }));
    asked.push(`${init.method} ${pathname}`);
    return answer(init.method ?? "GET", pathname, init);
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function open(): Media {
  const own = { getTracks: () => [{ kind: "audio" }] } as unknown as MediaStream;
  const at = (path: string) => `http://a.test${path}`;
  const way = { participantId: "we", token: "t", iceServers: [], whipUrl: at("/whip"), whepUrl: at("/whep"), eventsUrl: at("/events") };
  return new Media(way, own, { pictures: () => {}, changed: () => {} });
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
