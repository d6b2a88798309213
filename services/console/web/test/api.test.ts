// How long the page waits for an answer.
import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, expect, test, vi } from "vitest";
import { connect, words } from "../src/api";
import { ANSWER_WITHIN } from "../src/retry";

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a question that nobody answers is given up in time, and a stream is not", async () => {
  vi.useFakeTimers();
  const never = (_: unknown, { signal }: RequestInit) => new Promise((_, fail) => signal?.addEventListener("abort", () => fail(signal.reason)));
  vi.stubGlobal("fetch", vi.fn(never));
  const { referral } = connect("http://desk.invalid", () => {});
  const ends: unknown[] = [];
  const over = new AbortController();
  void (async () => { for await (const _ of referral.watchCase({}, { signal: over.signal })) break; })().catch((error: unknown) => ends.push(error));
  const asked = referral.sealPackage({}).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(ANSWER_WITHIN + 1);
  const error = await asked;
  expect([ConnectError.from(error).code, words(error)]).toEqual([Code.DeadlineExceeded, "The service can't be reached at the moment."]);
  await vi.advanceTimersByTimeAsync(100 * ANSWER_WITHIN);
  expect(ends).toEqual([]);
  over.abort();
});
