// Callers who are rung back: what is listed, what is shown while one is rung, and that nothing of it stays.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { beforeEach, expect, test, vi } from "vitest";
import { body } from "../screens";
import type { Api } from "../src/api";
import { Callbacks } from "../src/callbacks";
import { national } from "../src/format";
import { CallbackOutcome, CallbackState, SilentCaller } from "../src/gen/alcove/intake/v1/service_pb";
import { CallbackSchema, TakeCallbackResponseSchema } from "../src/gen/alcove/transfer/v1/service_pb";
import { chosenOutcome, renderOutcomes, tried, windowOf } from "../src/view/callbacks";

const NOW = Date.parse("2026-11-24T19:00:00Z");
const at = (seconds: number) => timestampFromDate(new Date(NOW + seconds * 1000));
const text = (id: string) => document.getElementById(id)!.textContent;
const officer = { id: "pc-okafor", name: "PC Ada Okafor", force: "wmp", roles: ["desk_officer"] };
const callback = (what: MessageInitShape<typeof CallbackSchema>) => create(CallbackSchema, { from: at(-600), until: at(6600), ...what });
const ringing = () => (document.getElementById("ringing") as HTMLDialogElement).open;

beforeEach(() => {
  document.body.innerHTML = body(".");
});

test("call-backs are listed with their window and how they were tried; one that is due, or one's own, can be rung", () => {
  const attempts = [CallbackOutcome.NO_ANSWER, CallbackOutcome.SOMEBODY_ELSE_ANSWERED].map((outcome) => ({ outcome }));
  const list = new Callbacks({} as Api, officer, () => {});
  list.heard([
    callback({ callbackId: "1", state: CallbackState.DUE, language: "pa", attempts }),
    callback({ callbackId: "2", state: CallbackState.TAKEN, takenBy: "pc-singh" }),
    callback({ callbackId: "3", state: CallbackState.TAKEN, takenBy: "pc-okafor" }),
    callback({ callbackId: "4", state: CallbackState.AGREED }),
  ]);
  const rows = [...document.querySelectorAll("#callback-rows li")].map((one) => [...one.children].slice(1).map((part) => part.firstChild?.textContent ?? ""));
  expect(rows).toEqual([["Due now", "Punjabi, tried 2 times, last: somebody else answered", "Ring them", "Cancel…"], ["pc-singh rings", ""], ["You ring", "", "Go on"], ["Not yet", "", "Cancel…"]]);
  expect([windowOf(callback({}), new Date(NOW)), windowOf(callback({}), new Date(NOW - 86_400_000))]).toEqual(["18:50 to 20:50", "Tue 24, 18:50 to 20:50"]);
  expect([tried({ attempts: [] }), national("+447700900123"), national("+33612345678")]).toEqual(["", "07700 900123", "+33612345678"]);
  list.heard([]);
  expect(document.getElementById("callbacks")!.hidden).toBe(true);
});

test("number and word are there while the call-back is the officer's, and not a second longer", async () => {
  vi.useFakeTimers({ now: NOW });
  const asked: object[] = [];
  let callId = "";
  const transfer = {
    takeCallback: async (request: object) => (asked.push(request), create(TakeCallbackResponseSchema, { number: "+447700900123", word: "blue heron", whoMayAnswer: "Her sister", takenUntil: at(900), silentCaller: SilentCaller.TAPS_ONLY })),
    recordCallbackAttempt: async (request: object) => (asked.push(request), { callId }),
  };
  const reached = vi.fn();
  const callbacks = new Callbacks({ transfer } as unknown as Api, officer, reached);
  renderOutcomes();
  const all = () => document.body.textContent!;
  await callbacks.take("1");
  expect([ringing(), text("ringing-number"), text("ringing-left"), all().includes("blue heron"), all().includes("Her sister"), all().includes("answers by taps")]).toEqual([true, "07700 900123", "Yours for 15:00. Then somebody else may ring.", true, true, true]);
  expect(chosenOutcome(), "nothing is chosen for them").toBe(CallbackOutcome.UNSPECIFIED);
  await callbacks.record(CallbackOutcome.NO_ANSWER);
  const gone = () => [ringing(), all().includes("900123"), all().includes("blue heron"), all().includes("Her sister")];
  expect(gone()).toEqual([false, false, false, false]);
  expect(reached).not.toHaveBeenCalled();

  await callbacks.take("1");
  callbacks.tick(NOW + 899_000);
  expect(text("ringing-left")).toContain("0:01");
  callbacks.tick(NOW + 900_000);
  expect(gone(), "somebody else may have it now").toEqual([false, false, false, false]);
  expect(text("callbacks-trouble")).toContain("time to ring them is over");

  callId = "c7";
  await callbacks.take("1");
  await callbacks.record(CallbackOutcome.REACHED);
  expect(reached.mock.calls).toEqual([["c7"]]);
  expect(asked.at(-1)).toMatchObject({ callbackId: "1", outcome: CallbackOutcome.REACHED, officerId: "pc-okafor", forceId: "wmp" });

  transfer.recordCallbackAttempt = () => Promise.reject(new ConnectError("the call-back is over", Code.FailedPrecondition));
  await callbacks.take("1");
  await callbacks.record(CallbackOutcome.NO_ANSWER);
  expect([ringing(), text("ringing-trouble")]).toEqual([true, "The call-back is over."]);
  callbacks.close();
  expect(gone()).toEqual([false, false, false, false]);
  transfer.takeCallback = () => Promise.reject(new ConnectError("somebody else rings them", Code.FailedPrecondition));
  await callbacks.take("1");
  expect([ringing(), text("callbacks-trouble")]).toEqual([false, "Somebody else rings them."]);
  vi.useRealTimers();
});

test("an answer that comes after the sign-in is over shows nothing", async () => {
  let answer: () => void = () => {};
  const takeCallback = () => new Promise((told) => (answer = () => told(create(TakeCallbackResponseSchema, { number: "+447700900123", word: "blue heron", takenUntil: at(900) }))));
  const callbacks = new Callbacks({ transfer: { takeCallback } } as unknown as Api, officer, () => {});
  const taking = callbacks.take("1");
  callbacks.leave();
  answer();
  await taking;
  expect([ringing(), document.body.textContent!.includes("900123"), document.body.textContent!.includes("blue heron")]).toEqual([false, false, false]);
});
