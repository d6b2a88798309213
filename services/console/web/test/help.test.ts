// What is heard of referrals, and where their cards stand.
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { body } from "../screens";
import type { Api } from "../src/api";
import { type Disclosure, DisclosureSchema, DisclosureStageSchema, type RecordDisclosureStageRequest, type RecordDisclosureStageResponse, RecordDisclosureStageResponseSchema } from "../src/gen/alcove/referral/v1/disclosure_pb";
import { DeliveryState, type MakeReferralRequest, type MakeReferralResponse, MakeReferralResponseSchema, ReferralSchema, ReferralState } from "../src/gen/alcove/referral/v1/help_pb";
import { CaseSchema } from "../src/gen/alcove/referral/v1/service_pb";
import { renderHelp } from "../src/view/work/help";
import { noteOf } from "../src/view/work/referral";
import { answered, furthest, Help } from "../src/work/help";

const referral = (referralId: string, state: ReferralState) => create(ReferralSchema, { referralId, state });

test("what was on its way when a referral was sent doesn’t make it a draft again", () => {
  const known = [referral("a", ReferralState.SENT), referral("b", ReferralState.DRAFT), referral("gone", ReferralState.DRAFT)];
  const heard = [referral("a", ReferralState.DRAFT), referral("b", ReferralState.SENT), referral("new", ReferralState.DRAFT)];
  expect(furthest(known, heard).map(({ referralId, state }) => [referralId, state])).toEqual([
    ["a", ReferralState.SENT],
    ["b", ReferralState.SENT],
    ["new", ReferralState.DRAFT],
  ]);
});

test("an answer that the stream has overtaken takes nothing back", () => {
  const sent = (state: DeliveryState) => create(ReferralSchema, { referralId: "a", state: ReferralState.SENT, delivery: { state } });
  const stands = (all: ReturnType<typeof referral>[]) => all.map(({ state, delivery }) => [state, delivery?.state]);
  const [delivered, waiting] = [sent(DeliveryState.DELIVERED), sent(DeliveryState.WAITING)];
  expect(stands(answered([delivered, referral("b", ReferralState.DRAFT)], waiting, false))).toEqual([
    [ReferralState.SENT, DeliveryState.DELIVERED],
    [ReferralState.DRAFT, undefined],
  ]);
  expect(stands(answered([referral("a", ReferralState.DRAFT)], waiting, false)), "what the stream said meanwhile was older").toEqual([[ReferralState.SENT, DeliveryState.WAITING]]);
  expect(stands(answered([delivered], waiting, true))).toEqual([[ReferralState.SENT, DeliveryState.WAITING]]);
});

test("of the cards only the one that goes down is moved", async () => {
  document.body.innerHTML = '<div id="referrals"></div><span id="help-open"></span><p id="referrals-none"></p><div id="clocks-part"><ul id="clocks"></ul></div>';
  const list = document.getElementById("referrals")!;
  const [a, b, c] = ["a", "b", "c"].map((one) => referral(one, ReferralState.DRAFT)) as [ReturnType<typeof referral>, ReturnType<typeof referral>, ReturnType<typeof referral>];
  renderHelp(create(CaseSchema, { referrals: [a, b, c] }), []);
  const moved: string[] = [];
  new MutationObserver((all) => moved.push(...all.flatMap(({ addedNodes }) => [...addedNodes].map((one) => (one as HTMLElement).dataset.referral!)))).observe(list, { childList: true });
  renderHelp(create(CaseSchema, { referrals: [{ ...a, state: ReferralState.SENT }, b, c] }), []);
  await Promise.resolve();
  expect([...list.children].map((one) => (one as HTMLElement).dataset.referral)).toEqual(["b", "c", "a"]);
  expect(moved).toEqual(["a"]);
});

test("the answer to a stage that is written down counts at once, and takes back nothing that the stream has told meanwhile", async () => {
  document.body.innerHTML = body(".");
  const asked: bigint[] = [];
  let answer: (what: RecordDisclosureStageResponse) => void = () => {};
  const recordDisclosureStage = ({ version }: RecordDisclosureStageRequest) => {
    asked.push(version);
    return new Promise<RecordDisclosureStageResponse>((told) => (answer = told));
  };
  const officer = { id: "pc-okafor", name: "PC Ada Okafor", force: "wmp", roles: [] };
  const help = new Help({ referral: { recordDisclosureStage } } as unknown as Api, officer, "c1", new AbortController().signal, () => "");
  const disclosure = (version: bigint): Disclosure => create(DisclosureSchema, { referralId: "a", version });
  const told = (version: bigint) => create(CaseSchema, { referrals: [referral("a", ReferralState.SENT)], disclosures: [disclosure(version)] });
  const stage = async (meanwhile: () => void, version: bigint) => {
    const written = help.stage("a", create(DisclosureStageSchema, {}));
    meanwhile();
    answer(create(RecordDisclosureStageResponseSchema, { disclosure: disclosure(version) }));
    expect(await written).toBe("");
  };
  help.heard(told(1n));
  await stage(() => {}, 2n);
  await stage(() => help.heard(told(4n)), 3n);
  await stage(() => {}, 5n);
  expect(asked, "each on top of the latest that is known").toEqual([1n, 2n, 4n]);
});

/** A draft whose note somebody writes; `server` has what stands, and refuses what was written on another. */
function drafted() {
  document.body.innerHTML = body(".");
  const server = { note: "", noteVersion: 1n, asked: [] as [string, bigint][] };
  const stands = () => create(ReferralSchema, { referralId: "a", kind: "idva", state: ReferralState.DRAFT, note: server.note, noteVersion: server.noteVersion });
  const write = (note: string) => void Object.assign(server, { note, noteVersion: server.noteVersion + 1n });
  const makeReferral = async ({ note, noteVersion }: MakeReferralRequest): Promise<MakeReferralResponse> => {
    server.asked.push([note, noteVersion!]);
    if (noteVersion !== server.noteVersion && note !== server.note) throw changed();
    if (note !== server.note) write(note);
    return create(MakeReferralResponseSchema, { referral: stands() });
  };
  const officer = { id: "pc-okafor", name: "PC Ada Okafor", force: "wmp", roles: [] };
  const help = new Help({ referral: { makeReferral } } as unknown as Api, officer, "c1", new AbortController().signal, () => "");
  const heard = () => help.heard(create(CaseSchema, { referrals: [stands()] }));
  heard();
  const card = document.querySelector<HTMLElement>(".referral")!;
  const field = card.querySelector("textarea")!;
  const type = (text: string) => {
    field.value = text;
    return help.change("a", "", noteOf("a"));
  };
  const beside = () => card.querySelector(".clash")!.textContent!;
  const trouble = () => card.querySelector(".trouble")!.textContent!;
  return { server, help, heard, write, field, type, beside, trouble };
}

function changed(): ConnectError {
  const error = new ConnectError("refused", Code.Aborted);
  const reason = new TextEncoder().encode("CHANGED_MEANWHILE");
  error.details.push({ type: "google.rpc.ErrorInfo", value: new Uint8Array([0x0a, reason.length, ...reason]) });
  return error;
}

test("of two officers’ notes neither is lost: the colleague’s is shown beside one’s own, and what is put together is sent", async () => {
  const { server, help, heard, write, field, type, beside, trouble } = drafted();
  write("ring before ten");
  await type("the dog bites");
  expect(beside(), "the colleague’s is still on its way").toBe("");
  heard();
  expect(beside()).toContain("ring before ten");
  expect([field.value, server.note]).toEqual(["the dog bites", "ring before ten"]);
  heard();
  await type("the dog bites, ring");
  expect(await help.send("a")).toBe("");
  expect(trouble()).toContain("First choose");
  expect(server.asked.length, "nothing is sent before they have chosen").toBe(1);
  await help.keepMine("a", "ring before ten; the dog bites");
  expect([server.note, field.value, beside()]).toEqual(["ring before ten; the dog bites", "ring before ten; the dog bites", ""]);
  expect(server.asked.at(-1)).toEqual(["ring before ten; the dog bites", 2n]);

  write("ring at noon");
  await type("never ring");
  heard();
  help.takeTheirs("a");
  expect([server.note, field.value, beside()]).toEqual(["ring at noon", "ring at noon", ""]);
  await type("ring at one");
  expect(server.note, "and it is gone on from there").toBe("ring at one");
});

test("an officer is never their own colleague, and a partner that is chosen brings no old note with it", async () => {
  const { server, heard, write, field, type, beside } = drafted();
  const [first, second] = [type("one"), type("one two")];
  await Promise.all([first, second]);
  await type("one two three");
  expect([server.note, beside(), server.asked]).toEqual(["one two three", "", [["one", 1n], ["one two", 2n], ["one two three", 3n]]]);
  const saving = type("four");
  field.focus();
  field.value = "four five";
  await saving;
  expect(field.value, "what is typed meanwhile stays under their fingers").toBe("four five");
  await type(field.value);
  field.blur();
  expect([server.note, beside(), server.asked.length]).toEqual(["four five", "", 5]);
  heard();
  write("a colleague’s");
  await type("four five");
  heard();
  await new Promise((done) => setTimeout(done));
  expect([server.note, field.value, beside()]).toEqual(["a colleague’s", "a colleague’s", ""]);
});

test("a colleague’s note that has come and gone before it was heard of leaves nothing to choose between", async () => {
  const { server, heard, write, type, beside } = drafted();
  write("ring before ten");
  await type("the dog bites");
  // Its version is of its words.
  Object.assign(server, { note: "", noteVersion: 1n });
  heard();
  expect(beside()).toBe("");
  await type("the dog bites hard");
  expect([server.note, beside()]).toEqual(["the dog bites hard", ""]);
});
