// A call-back as it is agreed: what is wrong is said by its field, every refusal has plain words, and nothing personal stays.
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { body } from "../screens";
import type { Api } from "../src/api";
import { Callbacks, followCallbacks } from "../src/callbacks";
import { CallbackState } from "../src/gen/alcove/intake/v1/service_pb";
import { CallbackSchema, type ScheduleCallbackRequest, WaitingCallSchema, WatchDeskResponseSchema } from "../src/gen/alcove/transfer/v1/service_pb";
import { followLater, Later } from "../src/later";
import { renderDesk } from "../src/view/desk";

const NOW = new Date("2026-11-27T12:00:00Z");
const officer = { id: "pc-okafor", name: "PC Ada Okafor", force: "wmp", roles: ["desk_officer"] };
const by = (id: string) => document.getElementById(id) as HTMLInputElement & HTMLDialogElement;
const text = (id: string) => by(id).textContent;
const fill = (values: Record<string, string>) => Object.entries(values).forEach(([id, value]) => (by(id).value = value));
const GOOD = { "later-from": "2026-11-27T18:00", "later-until": "2026-11-27T20:00", "later-number": "07700 900123", "later-word": "blue heron", "later-who": "Her sister" };
const faults = () => Object.fromEntries([...by("later-form").querySelectorAll(".fields .trouble")].filter((one) => one.textContent).map((one) => [one.id.replace(/later-(.*)-fault/, "$1"), one.textContent]));
const waits = () => create(WaitingCallSchema, { callId: "c1", language: "ti", incident: { number: "1123", date: "2026-11-26" } });

let sent: ScheduleCallbackRequest[];
let refusal: string;
let later: Later;

function refused(reason: string): ConnectError {
  const error = new ConnectError("no", Code.FailedPrecondition);
  error.details.push({ type: "google.rpc.ErrorInfo", value: new Uint8Array([0x0a, reason.length, ...new TextEncoder().encode(reason)]) });
  return error;
}

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  document.body.innerHTML = body(".");
  [sent, refusal] = [[], ""];
  const scheduleCallback = async (request: ScheduleCallbackRequest) => {
    if (refusal) throw refused(refusal);
    sent.push(request);
    return { callbackId: "b1" };
  };
  later = new Later({ transfer: { scheduleCallback } } as unknown as Api, officer);
  followLater(() => later);
  later.heard([waits()]);
});

afterEach(() => vi.useRealTimers());

test("it is asked of a call that waits, and says by its field what is missing or wrong", async () => {
  renderDesk(create(WatchDeskResponseSchema, { queue: [waits()] }));
  document.querySelector<HTMLButtonElement>("#queue-rows button[data-act=later]")!.click();
  expect([by("later").open, text("later-what"), by("later-language").value]).toEqual([true, "1123 of 26 Nov 2026 leaves the queue, and is rung in this time only.", "ti"]);
  await later.agree();
  expect(faults()).toEqual({ from: "From when is it safe?", until: "Until when is it safe?", number: "Which number?", word: "Agree on a word.", who: "Say who may answer. If nobody else may, write that." });
  expect(document.activeElement?.id).toBe("later-from");
  for (const [values, field, words] of [
    [{ "later-until": "2026-11-27T17:00" }, "until", "It ends before it begins."],
    [{ "later-until": "2026-11-27T18:09" }, "until", "Too short: at least 10 minutes."],
    [{ "later-until": "2026-11-28T06:01" }, "until", "Too long: at most 12 hours."],
    [{ "later-from": "2026-11-27T09:00", "later-until": "2026-11-27T11:00" }, "until", "That is over."],
    [{ "later-from": "2026-12-12T18:00", "later-until": "2026-12-12T20:00" }, "from", "That is more than 14 days ahead."],
    [{ "later-number": "blue" }, "number", "That is no phone number. Type it as you would dial it."],
  ] as const) {
    fill({ ...GOOD, ...values });
    await later.agree();
    expect([faults(), sent]).toEqual([{ [field]: words }, []]);
  }
});

test("what was typed is sent once, in the network’s form and Britain’s time, and then is nowhere on the page", async () => {
  later.ask("c1");
  fill(GOOD);
  await later.agree();
  expect(sent).toMatchObject([{ forceId: "wmp", officerId: "pc-okafor", callId: "c1", number: "+447700900123", word: "blue heron", whoMayAnswer: "Her sister", language: "ti" }]);
  expect([Number(sent[0]!.from!.seconds), Number(sent[0]!.until!.seconds)]).toEqual([Date.parse("2026-11-27T18:00:00Z") / 1000, Date.parse("2026-11-27T20:00:00Z") / 1000]);
  expect([by("later").open, text("later-said")]).toEqual([false, "The call-back is agreed: 18:00 to 20:00."]);
  await vi.advanceTimersByTimeAsync(0);
  expect(Object.keys(GOOD).map((id) => by(id).value)).toEqual(["", "", "", "", ""]);
  later.ask("c1");
  fill(GOOD);
  later.leave();
  expect([by("later").open, ...Object.keys(GOOD).map((id) => by(id).value), text("later-said")]).toEqual([false, "", "", "", "", "", ""]);
});

test("an offer that comes meanwhile takes the screen, and nothing of what was typed stays", async () => {
  later.ask("c1");
  fill(GOOD);
  renderDesk(create(WatchDeskResponseSchema, { offer: { callId: "c2" } }));
  await vi.advanceTimersByTimeAsync(0);
  expect([by("later").open, ...Object.keys(GOOD).map((id) => by(id).value)]).toEqual([false, "", "", "", "", ""]);
});

test("an answer to a question that isn’t open any more is said above the desk, and the form of another call is left alone", async () => {
  let answer: { done(): void; refuse(reason: string): void };
  const scheduleCallback = () => new Promise<object>((done, refuse) => (answer = { done: () => done({}), refuse: (reason) => refuse(refused(reason)) }));
  later = new Later({ transfer: { scheduleCallback } } as unknown as Api, officer);
  later.heard([waits(), create(WaitingCallSchema, { callId: "c2" })]);
  const press = () => {
    later.ask("c1");
    fill(GOOD);
    return later.agree();
  };
  const form = () => [by("later").open, by("later").dataset.call, by("later-word").value, faults(), text("later-trouble")];
  // An offer, or Escape, closes it.
  for (const [reason, why] of [["CALLBACK_AGREED", "A call-back is agreed for this call already."], ["OUTSIDE_OPENING_HOURS", "The desk is not open for all of that time."]] as const) {
    const agreed = press();
    by("later").close();
    answer!.refuse(reason);
    await agreed;
    expect(text("missed")).toBe(`The call-back of 1123 of 26 Nov 2026 is not agreed. ${why}`);
    expect(form()).toEqual([false, "", "", {}, ""]);
  }
  for (const isRefused of [true, false]) {
    const agreed = press();
    by("later").close();
    later.ask("c2");
    fill({ "later-word": "red kite" });
    if (isRefused) answer!.refuse("INVALID_NUMBER");
    else answer!.done();
    await agreed;
    expect(text("missed")).toContain(isRefused ? "not agreed. That is no phone number." : "The call-back of 1123 of 26 Nov 2026 is agreed: 18:00 to 20:00.");
    expect(form()).toEqual([true, "c2", "red kite", {}, ""]);
    by("later").close();
  }
});

test("every refusal is said in plain words, by its field where it has one, and nothing that was typed is lost", async () => {
  later.ask("c1");
  fill(GOOD);
  const said = async (reason: string) => {
    refusal = reason;
    await later.agree();
    return [faults(), text("later-trouble"), by("later-word").value];
  };
  expect(await said("OUTSIDE_OPENING_HOURS")).toEqual([{ from: "The desk is not open for all of that time." }, "", "blue heron"]);
  expect(await said("INVALID_SAFE_WINDOW")).toEqual([{ until: "It is 10 minutes to 12 hours long, isn’t over, and begins within 14 days." }, "", "blue heron"]);
  expect(await said("INVALID_NUMBER")).toEqual([{ number: "That is no phone number. Type it as you would dial it." }, "", "blue heron"]);
  expect(Object.keys((await said("INVALID_CALLBACK"))[0]!)).toEqual(["word"]);
  for (const reason of ["UNKNOWN_CALL", "CALL_NOT_CALLABLE", "CALLBACK_AGREED", "INVALID_OFFICER"]) {
    const [fields, words, word] = await said(reason);
    expect([fields, word]).toEqual([{}, "blue heron"]);
    expect(words).not.toBe("No.");
  }
  expect(text("later-trouble")).toContain("Tell your sergeant");
});

test("a call-back is cancelled only after a question, and why it can’t be is said", async () => {
  let reason = "CALLBACK_TAKEN";
  const cancelled: string[] = [];
  const cancelCallback = async ({ callbackId }: { callbackId: string }) => {
    if (reason) throw refused(reason);
    cancelled.push(callbackId);
  };
  const callbacks = new Callbacks({ transfer: { cancelCallback } } as unknown as Api, officer, () => {});
  followCallbacks(() => callbacks);
  callbacks.heard([create(CallbackSchema, { callbackId: "b1", state: CallbackState.AGREED })]);
  const press = async (answer: string) => {
    document.querySelector<HTMLButtonElement>("#callback-rows [data-cancel]")!.click();
    expect([by("sure").open, text("sure-title")]).toEqual([true, "Cancel this call-back?"]);
    by(answer).click();
    await vi.advanceTimersByTimeAsync(0);
    expect(text("sure-words"), "it may name officers").toBe("");
    return text("callbacks-trouble");
  };
  expect([await press("sure-stay"), cancelled]).toEqual(["", []]);
  expect(await press("sure-go")).toBe("Somebody is ringing them just now.");
  for (reason of ["CALLBACK_OVER", "UNKNOWN_CALLBACK"]) expect(await press("sure-go")).toContain("That call-back is");
  reason = "";
  expect([await press("sure-go"), cancelled]).toEqual(["", ["b1"]]);
});
