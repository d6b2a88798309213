// What the page does when the phone takes its microphone or its camera away, or runs out of power: with a phone and a clock that do
// as they are told.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";
import { clock, settled } from "./clock.mjs";

const read = (name) => readFileSync(new URL(name, import.meta.url), "utf8");

function track(kind) {
  const made = { kind, muted: false, readyState: "live", stop: () => { made.readyState = "ended"; } };
  return made;
}

class Stream {
  constructor(tracks) { this.tracks = tracks; }
  getTracks() { return this.tracks.slice(); }
  getAudioTracks() { return this.tracks.filter(({ kind }) => kind === "audio"); }
  getVideoTracks() { return this.tracks.filter(({ kind }) => kind === "video"); }
  addTrack(one) { this.tracks.push(one); }
  removeTrack(one) { this.tracks = this.tracks.filter((other) => other !== one); }
}

// A phone in a call. `refuses`: with what error it refuses the next ones.
async function phone() {
  const time = clock();
  const self = { refuses: null, covered: false, asked: [], notes: [], shown: 0, visibility: "visible", pass: time.pass };
  const heard = [];
  const document = {
    body: { dataset: {} },
    get visibilityState() { return self.visibility; },
    addEventListener: (_, act) => heard.push(act),
    removeEventListener: (_, act) => heard.splice(heard.indexOf(act), 1),
  };
  const getUserMedia = async (wanted) => {
    self.asked.push(Object.keys(wanted).sort().join());
    if (self.refuses) throw Object.assign(new Error("no"), { name: self.refuses });
    const stream = new Stream(Object.keys(wanted).map(track));
    if (self.gives) stream.getTracks().forEach(self.gives);
    return stream;
  };
  const context = vm.createContext({
    ...time, document, navigator: { mediaDevices: { getUserMedia } }, by: () => ({}), say: () => {}, pause: (ms) => new Promise((done) => time.setTimeout(done, ms)),
  });
  vm.runInContext(["camera.js", "regain.js"].map(read).join("") + "globalThis.parts = { openCamera, watchLosses };", context);
  let losses = null;
  self.camera = context.parts.openCamera(() => losses.look(), () => self.covered);
  await self.camera.open(true);
  const call = { note: (...note) => self.notes.push(note.join()), show: async () => { self.shown += 1; } };
  losses = context.parts.watchLosses(self.camera, call, () => { self.silent = self.camera.isSilent(); });
  self.losses = losses;
  self.look = () => heard.slice().forEach((act) => act());
  self.lose = (one) => { one.readyState = "ended"; one.onended(); };
  self.asked.length = 0;
  return self;
}

test("a microphone that a phone call has taken is asked for until it is given back", async () => {
  const one = await phone();
  const stream = one.camera.stream();
  one.refuses = "NotReadableError";
  one.lose(stream.getAudioTracks()[0]);
  await settled();
  assert.deepEqual([one.silent, one.notes], [true, ["sound,false,taken"]]);
  await one.pass(8900);
  assert.deepEqual([one.asked, one.shown], [["audio", "audio", "audio"], 0]);
  one.refuses = null;
  await one.pass(200);
  assert.deepEqual([one.silent, one.notes, one.shown], [false, ["sound,false,taken", "sound,true,taken"], 1]);
  assert.deepEqual(stream.getTracks().map(({ kind, readyState }) => kind + " " + readyState).sort(), ["audio live", "video live"]);
  await one.pass(60000);
  assert.equal(one.asked.length, 4, "it has what it wants");
});

test("what is only muted is said and waited for", async () => {
  const one = await phone();
  const [sound] = one.camera.stream().getAudioTracks();
  sound.muted = true;
  sound.onmute();
  assert.deepEqual([one.silent, one.notes], [true, ["sound,false,taken"]]);
  sound.muted = false;
  sound.onunmute();
  await one.pass(10000);
  assert.deepEqual([one.silent, one.notes.length, one.asked], [false, 2, []]);
});

test("behind the lock screen nothing is asked for, and a refusal is taken for one", async () => {
  const one = await phone();
  one.visibility = "hidden";
  one.lose(one.camera.picture());
  await one.pass(10000);
  assert.deepEqual([one.asked, one.notes], [[], []]);
  one.refuses = "NotAllowedError";
  one.visibility = "visible";
  one.look();
  await one.pass(10000);
  assert.deepEqual(one.asked, ["video"]);
  one.refuses = null;
  one.look();
  await settled();
  assert.deepEqual([one.asked, one.shown, one.camera.picture().readyState], [["video", "video"], 1, "live"]);
});

test("a camera that was turned off is not asked for, and nothing is once the call is over", async () => {
  const one = await phone();
  await one.camera.turn();
  one.look();
  await one.pass(10000);
  assert.deepEqual([one.camera.picture(), one.asked], [null, []]);

  one.refuses = "NotReadableError";
  one.lose(one.camera.stream().getAudioTracks()[0]);
  await one.pass(1000);
  one.losses.close();
  one.camera.release();
  one.look();
  await one.pass(60000);
  assert.equal(one.asked.length, 1);
});

test("covered, nothing is open, and what was open before is had again in the same stream", async () => {
  const one = await phone();
  const stream = one.camera.stream();
  const open = () => stream.getTracks().map(({ kind, readyState }) => kind + " " + readyState).sort();
  const before = stream.getTracks();
  one.camera.rest();
  assert.deepEqual([open(), before.map(({ readyState }) => readyState)], [[], ["ended", "ended"]]);
  // There and back again, before the browser has given what was asked for: each is had once.
  const first = one.camera.wake();
  one.camera.rest();
  await Promise.all([first, one.camera.wake()]);
  assert.deepEqual([open(), one.asked], [["audio live", "video live"], ["audio,video", "audio,video"]]);
  // Refused, it is asked for the next time.
  one.camera.rest();
  one.refuses = "NotAllowedError";
  await assert.rejects(one.camera.wake());
  one.refuses = null;
  await one.camera.wake();
  assert.deepEqual([open(), one.camera.stream() === stream], [["audio live", "video live"], true]);
  // A camera that was off stays off, and one that is asked for under the cover is closed at once.
  await one.camera.turn();
  one.camera.rest();
  await one.camera.wake();
  assert.deepEqual(open(), ["audio live"]);
  one.camera.release();
  one.covered = true;
  await one.camera.open(true);
  assert.deepEqual(one.camera.stream().getTracks(), []);
  one.covered = false;
  await one.camera.wake();
  assert.equal(one.camera.stream().getTracks().length, 2);
});

test("who chose not to be heard stays unheard, whatever becomes of the microphone", async () => {
  const one = await phone();
  const heard = () => one.camera.stream().getAudioTracks().map(({ enabled }) => enabled);
  assert.deepEqual(heard(), [true]);
  one.camera.mute(true);
  one.look();
  assert.deepEqual([heard(), one.camera.isSilent(), one.camera.picture().enabled], [[false], false, undefined]);
  one.camera.rest();
  await one.camera.wake();
  assert.deepEqual(heard(), [false]);
  // Taken meanwhile: nobody is told of a loss that is none, and it is had again all the same.
  one.lose(one.camera.stream().getAudioTracks()[0]);
  await settled();
  assert.deepEqual([heard(), one.notes, one.camera.isLost()], [[false], [], false]);
  one.camera.mute(false);
  assert.deepEqual(heard(), [true]);
  // A page that comes back to it.
  one.camera.release();
  one.camera.mute(true);
  await one.camera.open(true);
  assert.deepEqual(heard(), [false]);
});

test("what comes after the end is closed at once", async () => {
  const one = await phone();
  const given = [];
  const [sound] = one.camera.stream().getAudioTracks();
  one.gives = (made) => { given.push(made); one.losses.close(); one.camera.release(); };
  one.lose(sound);
  await settled();
  assert.deepEqual([one.camera.stream(), given.map(({ readyState }) => readyState)], [null, ["ended"]]);
});

test("a phone that is nearly empty makes a smaller picture, until it is charged", async () => {
  const heard = {};
  const battery = {
    level: 0.5, charging: false,
    addEventListener: (name, act) => { heard[name] = act; },
    removeEventListener: (name) => { delete heard[name]; },
  };
  const applied = [];
  const picture = { applyConstraints: async ({ frameRate }) => { applied.push(frameRate.max); } };
  const watch = (navigator) => {
    const context = vm.createContext({ navigator });
    return vm.runInContext(["camera.js", "battery.js"].map(read).join("") + "watchBattery", context)({ picture: () => picture });
  };
  const close = watch({ getBattery: async () => battery });
  await settled();
  battery.level = 0.14;
  heard.levelchange();
  battery.charging = true;
  heard.chargingchange();
  assert.deepEqual(applied, [30, 15, 30]);
  close();
  assert.deepEqual(Object.keys(heard), []);
  watch({})();
  watch({ getBattery: async () => { throw new Error("not here"); } })();
  await settled();
});
