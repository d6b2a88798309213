import { beforeEach, expect, test, vi } from "vitest";

// What a browser gives: silent until somebody has pressed something. Where a tone goes is kept, to see whether it is cut off.
const tones: { at: number; into: Set<object> }[] = [];
class Gain {
  readonly into = new Set<object>();
  readonly gain = { setValueAtTime() {}, linearRampToValueAtTime() {}, exponentialRampToValueAtTime() {} };
  connect(to: object) {
    this.into.add(to);
    return to;
  }
  disconnect() {
    this.into.clear();
  }
}
class Context extends EventTarget {
  state = "suspended";
  currentTime = 0;
  destination = {};
  async resume() {
    this.state = "running";
    this.dispatchEvent(new Event("statechange"));
  }
  createGain() {
    return new Gain();
  }
  createOscillator() {
    let volume: Gain;
    return { frequency: { value: 0 }, connect: (to: Gain) => (volume = to), start: (at: number) => tones.push({ at, into: volume.into }), stop() {} };
  }
}
/** What will still be heard: its way to the end isn't cut. */
const heard = () => tones.filter(({ into }) => [...into].some((one) => !(one instanceof Gain) || one.into.size > 0)).map(({ at }) => at);

beforeEach(() => {
  vi.resetModules();
  vi.stubGlobal("AudioContext", Context);
  tones.length = 0;
});

test("an offer rings until it is answered, once the browser lets it", async () => {
  const { hush, isReady, makeReady, ring } = await import("../src/sound");
  ring();
  expect([isReady(), heard()]).toEqual([false, []]);
  const changed = vi.fn();
  await makeReady(changed);
  expect([isReady(), changed.mock.calls.length]).toEqual([true, 1]);
  expect(heard().slice(0, 4), "again every 2.5 s, with no timer that could be late").toEqual([0, 0.18, 2.5, 2.68]);
  expect(Math.max(...heard()), "longer than an offer stands").toBeGreaterThan(30);
  const all = tones.length;
  ring();
  await makeReady(changed);
  expect(tones.length, "the same offer doesn't ring twice").toBe(all);
  hush();
  expect(heard()).toEqual([]);
  ring();
  expect(heard().length, "the next one").toBe(all);
});

test("it can be tried, and what is tried is over by itself", async () => {
  const { chime, makeReady } = await import("../src/sound");
  chime();
  expect(heard()).toEqual([]);
  await makeReady(() => {});
  chime();
  expect(heard()).toEqual([0, 0.18]);
});

test("an alert is heard as often as it should, and one that couldn’t be heard as soon as it can", async () => {
  const { alarm, makeReady } = await import("../src/sound");
  alarm(1);
  alarm(3);
  expect(heard()).toEqual([]);
  await makeReady(() => {});
  expect(heard().length, "three falling tones, three times").toBe(9);
  await makeReady(() => {});
  expect(heard().length).toBe(9);
});
