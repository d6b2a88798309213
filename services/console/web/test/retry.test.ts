import { expect, test, vi } from "vitest";
import { keep, pause, sleep } from "../src/retry";

test("pauses grow and stay bounded", () => {
  expect([0, 1, 2, 3, 4, 5, 50].map(pause)).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000]);
});

test("what ends or fails is started again, until it is no longer wanted", async () => {
  vi.useFakeTimers();
  const ended = new AbortController();
  let runs = 0;
  const kept = keep(ended.signal, async (well) => {
    well();
    if (++runs === 4) ended.abort();
    if (runs % 2) throw new Error("cut off");
  });
  await vi.runAllTimersAsync();
  await kept;
  expect(runs).toBe(4);
  vi.useRealTimers();
});

test("it gives up where going on is of no use", async () => {
  let runs = 0;
  await keep(new AbortController().signal, async () => { runs++; throw new Error("refused"); }, () => false);
  expect(runs).toBe(1);
});

test("sleep ends early when it is told to", async () => {
  const ended = new AbortController();
  const slept = sleep(1_000_000, ended.signal);
  ended.abort();
  await slept;
  await sleep(1_000_000, ended.signal);
});

test("where a gateway finds nobody it is asked again within the second", () => {
  expect([0, 1, 2, 3, 9].map((tries) => pause(tries, 502))).toEqual([250, 500, 800, 800, 800]);
  expect([0, 4, 9].map((tries) => pause(tries, 500))).toEqual([250, 4000, 5000]);
});
