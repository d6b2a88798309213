// What is heard of referrals, and where their cards stand.
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { body } from "../screens";
import type { Api } from "../src/api";
import { type Disclosure, DisclosureSchema, DisclosureStageSchema, type RecordDisclosureStageRequest, type RecordDisclosureStageResponse, RecordDisclosureStageResponseSchema } from "../src/gen/alcove/referral/v1/disclosure_pb";
import { DeliveryState, ReferralSchema, ReferralState } from "../src/gen/alcove/referral/v1/help_pb";
import { CaseSchema } from "../src/gen/alcove/referral/v1/service_pb";
import { renderHelp } from "../src/view/work/help";
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
