// What the page does about a call that goes wrong, with a network and a clock that do as they are told.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";
import { clock, settled } from "./clock.mjs";

const read = (name) => readFileSync(new URL(name, import.meta.url), "utf8");
// A connection that is up as soon as it has an answer.
class Connection {
  constructor() {
    this.connectionState = "new";
    this.localDescription = { sdp: "v=0\r\n" };
  }
  addTransceiver(track) {
    const sender = { track, getStats: async () => new Map(), replaceTrack: async (other) => { sender.track = other; } };
    this.sender = sender;
    Connection.newest = this;
    return { sender };
  }
  getSenders() { return []; }
  async createOffer() { return {}; }
  async setLocalDescription() {}
  async setRemoteDescription() {
    this.connectionState = "connected";
    this.onconnectionstatechange();
  }
  close() { this.connectionState = "closed"; }
}

// What no answer comes to: the network swallows it.
const swallowed = (signal) => new Promise((_, reject) => { if (signal) signal.addEventListener("abort", () => reject(new Error("given up"))); });

// The parts of the page that make a call, and what they send. `answer`: to whatever is no question of events; `tell` says something
// to the newest stream of those. `streams`: how each question of events is answered, while there is one left that isn't as usual.
function page(answer, streams = []) {
  const time = clock();
  const asked = [];
  const followed = [];
  let events = null;
  async function fetch(url, { method = "GET", signal }) {
    if (url === "/events") {
      followed.push(signal);
      const other = streams.length && streams.shift();
      if (other) return other;
      const body = new ReadableStream({ start: (stream) => { events = stream; } });
      const stream = events;
      signal.addEventListener("abort", () => stream.error(new Error("given up")));
      return new Response(body);
    }
    const { pathname } = new URL(url, "http://a.test");
    asked.push(method + " " + pathname);
    return answer(method, signal, pathname);
  }
  const context = vm.createContext({
    ...time, fetch, AbortController, TextDecoder, URL, RTCPeerConnection: Connection, MediaStream: class {},
    navigator: {}, window: { addEventListener: () => {}, removeEventListener: () => {} },
  });
  vm.runInContext(["link.js", "picture.js", "call.js"].map(read).join("") + "globalThis.openCall = openCall;", context);
  const track = { kind: "audio", readyState: "live", muted: false, enabled: true };
  const tracks = [track];
  const stream = { getTracks: () => tracks, getAudioTracks: () => tracks, getVideoTracks: () => [] };
  const joined = { participant_id: "we", standing: "in", others: [], whip_url: "http://a.test/whip", whep_url: "http://a.test/whep", events_url: "/events", token: "t" };
  const ignore = () => {};
  const call = context.openCall(joined, stream, { changed: ignore, held: ignore, ended: ignore, chat: ignore, photo: ignore, pretext: ignore, listening: ignore });
  const tell = (publishing) => {
    const session = { state: "live", standing: "in", people: [], publishing: publishing.map((participant_id) => ({ participant_id, role: "guest", track: participant_id })) };
    events.enqueue(new TextEncoder().encode("event: session\ndata: " + JSON.stringify(session) + "\n\n"));
  };
  const again = () => events.enqueue(new TextEncoder().encode("event: again\ndata: {}\n\n"));
  return { call, asked, tracks, tell, again, followed, breakOff: () => events.error(new Error("cut")), pass: time.pass, posts: () => asked.filter((one) => one === "POST /whip").length };
}

const taken = async (method) => (method === "POST" ? new Response("v=0\r\n", { status: 201, headers: { Location: "/whip/1" } }) : new Response());

test("what we publish is made anew when whoever tells of the call knows nothing of it", async () => {
  const { asked, tell, pass, posts, call } = page(taken);
  await pass(100);
  tell(["we"]);
  await pass(60000);
  assert.deepEqual([posts(), call.sends()], [1, true], "it is known");
  tell([]);
  await pass(2900);
  assert.equal(posts(), 1, "it may only be slow");
  // Others come and go meanwhile.
  tell(["they"]);
  await pass(200);
  assert.deepEqual([posts(), asked.includes("DELETE /whip/1"), call.sends()], [2, true, true]);
  await pass(5800);
  assert.equal(posts(), 2, "in vain: so it has longer");
  await pass(200);
  assert.equal(posts(), 3);
  tell(["we"]);
  await pass(60000);
  assert.equal(posts(), 3, "it is known again");
  const takenBack = () => asked.filter((one) => one.startsWith("DELETE")).length;
  const before = takenBack();
  call.close();
  await pass(100);
  assert.equal(takenBack(), before, "whoever leaves says so otherwise, and their token is no good after that");
});

test("what we publish is left alone while nobody tells of the call", async () => {
  const { tell, pass, posts, breakOff, call } = page(taken);
  await pass(100);
  tell([]);
  await pass(1000);
  breakOff();
  await pass(200);
  assert.deepEqual([posts(), call.sends()], [1, true]);
  await pass(60000);
  assert.deepEqual([posts(), call.sends()], [1, true]);
  call.close();
});

test("who has lost sight of the call is listened to until another tells of it", async () => {
  const away = () => new Response(null, { status: 503 });
  const { tell, again, followed, pass, posts, call } = page(taken, [null, away(), away()]);
  await pass(100);
  tell(["we"]);
  again();
  again();
  await pass(500);
  assert.deepEqual([followed.length, followed[0].aborted], [3, false], "asked twice in vain");
  tell(["we", "they"]);
  await pass(100);
  assert.equal(call.pictures().length, 1, "it still tells");
  await pass(2000);
  assert.deepEqual([followed.length, followed[0].aborted, followed[3].aborted], [4, true, false]);
  // The other has taken it over and knows nobody.
  tell([]);
  await pass(3100);
  assert.deepEqual([posts(), call.pictures().length, followed.length], [2, 0, 4]);
  call.close();
  assert.ok(followed[3].aborted);
});

test("an offer that gets no answer is made again, and so is what is said for the record", async () => {
  let lost = 1;
  const { asked, pass, posts, call } = page((method, signal, path) => (path === "/state" || lost-- > 0 ? swallowed(signal) : taken(method)));
  await pass(7900);
  assert.deepEqual([posts(), call.sends()], [1, false]);
  await pass(600);
  assert.deepEqual([posts(), call.sends()], [2, true]);
  const said = () => asked.filter((one) => one === "POST /state").length;
  assert.equal(said(), 1);
  await pass(8500);
  assert.equal(said(), 2);
  call.close();
});

test("what is said for the record is said one after the other, and only the last of each", async () => {
  const waiting = [];
  const { asked, pass, call } = page((method, signal, path) => (path === "/state" ? new Promise((done) => waiting.push(done)) : taken(method)));
  await pass(100);
  const said = () => asked.filter((one) => one === "POST /state").length;
  // That there is no picture is said at the beginning.
  call.note("sound", false, "choice");
  call.note("sound", true, "choice");
  call.note("sound", false, "choice");
  await pass(100);
  assert.equal(said(), 1);
  waiting.shift()(new Response(null, { status: 204 }));
  await pass(100);
  assert.equal(said(), 2);
  waiting.shift()(new Response(null, { status: 204 }));
  await pass(10000);
  assert.equal(said(), 2);
  call.close();
});

test("a photograph that gets no answer is sent again, the larger the later, and is nowhere afterwards", async () => {
  const time = clock();
  const sent = [];
  async function fetch(_, { body, signal }) {
    sent.push(body);
    return sent.length < 2 ? swallowed(signal) : new Response("{}", { status: 201 });
  }
  class ImageCapture {
    async takePhoto() { return new Blob([new Uint8Array(200000).fill(7)], { type: "image/jpeg" }); }
  }
  const context = vm.createContext({ ...time, fetch, AbortController, Uint8Array, ImageCapture, crypto, btoa, window: { ImageCapture } });
  vm.runInContext(["link.js", "photo.js"].map(read).join("") + "globalThis.sendPhoto = sendPhoto;", context);
  let kept = null;
  context.sendPhoto({}, {}, "t").then((is) => { kept = is; });
  // Out of a Blob and into a hash: that is done elsewhere, in its own time.
  while (!sent.length) await settled();
  await time.pass(29900);
  assert.equal(sent.length, 1);
  await time.pass(1200);
  assert.deepEqual([sent.length, kept], [2, true]);
  assert.ok(sent.every((bytes) => bytes.length === 200000 && bytes.every((byte) => byte === 0)));
});

test("covered, nothing is sent and nothing is made anew, and then it goes on in the same connection", async () => {
  const { call, asked, tracks, tell, pass, posts } = page(taken);
  await pass(100);
  tell(["we"]);
  await pass(100);
  const { sender } = Connection.newest;
  const [track] = tracks.splice(0);
  await call.resend();
  assert.equal(sender.track, null);
  await pass(60000);
  tracks.push(track);
  await call.resend();
  assert.deepEqual([sender.track, posts()], [track, 1]);
  // Its connection is lost meanwhile: another is made once there is something to send.
  tracks.splice(0);
  await call.resend();
  tell([]);
  await pass(20000);
  assert.deepEqual([posts(), asked.includes("DELETE /whip/1")], [1, true]);
  tracks.push(track);
  call.resend();
  await pass(100);
  assert.deepEqual([posts(), call.sends(), Connection.newest.sender.track], [2, true, track]);
  call.close();
});
