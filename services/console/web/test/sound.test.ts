import { beforeEach, expect, test, vi } from "vitest";

// What a browser gives: silent until somebody has pressed something.
const tones: number[] = [];
class Context extends EventTarget {
  state = "suspended";
  currentTime = 0;
  destination = {};
  async resume() {
    this.state = "running";
    this.dispatchEvent(new Event("statechange"));
  }
  createGain() {
    return { gain: { setValueAtTime() {}, linearRampToValueAtTime() {}, exponentialRampToValueAtTime() {} }, connect: () => {} };
  }
  createOscillator() {
    const frequency = { value: 0 };
    return { frequency, connect: (to: unknown) => to, start: () => tones.push(frequency.value), stop() {} };
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.resetModules();
  vi.stubGlobal("AudioContext", Context);
  tones.length = 0;
});

test("an offer rings until it is answered, once the browser lets it", async () => {
  const { hush, isReady, makeReady, ring } = await import("../src/sound");
  ring();
  expect([isReady(), tones]).toEqual([false, []]);
  const changed = vi.fn();
  await makeReady(changed);
  expect([isReady(), changed.mock.calls.length]).toEqual([true, 1]);
  vi.advanceTimersByTime(2500);
  expect(tones).toEqual([659, 880]);
  ring();
  vi.advanceTimersByTime(2500);
  expect(tones.length, "the same offer doesn't ring twice as often").toBe(4);
  hush();
  vi.advanceTimersByTime(60_000);
  expect(tones.length).toBe(4);
  vi.useRealTimers();
});
