// What a draft of the statement doesn't know, where an item of the package is mended, and whose word on a seal counts.
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { body } from "../screens";
import type { Api } from "../src/api";
import { SealedPackageSchema, SealingState, type SealPackageResponse, SealPackageResponseSchema } from "../src/gen/alcove/referral/v1/package_pb";
import { CaseSchema, ChecklistItemSchema, ItemState } from "../src/gen/alcove/referral/v1/service_pb";
import { blankAfter, blanksIn, fitsIn, struck } from "../src/view/work/blanks";
import { lacks, markOf, placeOfItem } from "../src/view/work/package";
import { Package } from "../src/work/package";

const without = (text: string) => {
  const [from, to] = struck(text, blanksIn(text)[0]!);
  return text.slice(0, from) + text.slice(to);
};

test("the places that are left are counted by line, and said with the words about them", () => {
  const text = "Incident: [...]\nAt [...] I spoke by video with somebody whose name is not known, who is [...].";
  expect(blanksIn(text).map(({ line, about }) => `${line} ${about}`)).toEqual(["1 Incident: [...]", "2 At [...] I spoke by vide", "2 …me is not known, who is [...]."]);
  expect([blankAfter(text, 11)?.line, blankAfter(text, text.length)?.line, blankAfter("none", 0)]).toEqual([2, 1, undefined]);
});

test("what is struck out goes with its brackets or its colon, and no further", () => {
  expect(["This statement (consisting of [...] pages each signed by me) is true", "10:43:10 (account): [...]\nnext", "At [...] I spoke", "(a) and [...] (b)"].map(without)).toEqual([
    "This statement is true", "10:43:10 (account)\nnext", "At I spoke", "(a) and (b)",
  ]);
});

test("who signs and the day are known to the page, and nothing else is made up", () => {
  const text = "Spoke with [...]\nSigned: [...]    Dated: [...]";
  expect(blanksIn(text).map((one) => fitsIn(text, one, "PC Ada Okafor", "27 November 2026"))).toEqual(["", "PC Ada Okafor", "27 November 2026"]);
});

test("an item leads to where it is mended: in the call, after it, and for a lent officer", () => {
  const item = (key: string, more: object = {}) => create(ChecklistItemSchema, { key, required: true, state: ItemState.MISSING, ...more });
  const to = (key: string, after: boolean, lent: boolean) => placeOfItem(item(key), after, lent)?.[0];
  expect(["photographs", "consent", "officer-statement", "exhibit-list", "a-force's-own"].map((key) => to(key, false, false))).toEqual(["pictures", "consents", "statement", undefined, undefined]);
  expect(["photographs", "consent", "officer-statement"].map((key) => to(key, true, false))).toEqual([undefined, undefined, "statement"]);
  expect(["officer-statement", "disclosure-schedule", "previous-incidents", "risk-checklist"].map((key) => to(key, false, true))).toEqual([undefined, undefined, undefined, "risk"]);
  expect([lacks(item("x", { required: false })), markOf(item("x", { required: false })).words, markOf(item("x")).words]).toEqual([false, "Not yet", "Missing"]);
});

test("the answer to a press on seal shows it at once, and takes back nothing that the stream has told of it meanwhile", async () => {
  document.body.innerHTML = body(".");
  const sealing = (number: number, state: SealingState) => create(SealedPackageSchema, { number, state });
  const standing = () => [...document.querySelectorAll<HTMLElement>("#sealings li")].map(({ dataset }) => dataset.state);
  let answer: (what: SealPackageResponse) => void = () => {};
  const sealPackage = () => new Promise<SealPackageResponse>((told) => (answer = told));
  const officer = { id: "pc-okafor", name: "PC Ada Okafor", force: "wmp", roles: [] };
  const pack = new Package({ referral: { sealPackage } } as unknown as Api, officer, "c1", new AbortController().signal);
  pack.heard(create(CaseSchema, {}));

  const first = pack.seal("");
  answer(create(SealPackageResponseSchema, { sealed: sealing(1, SealingState.WAITING) }));
  expect([await first, standing()]).toEqual([true, ["waiting"]]);
  const second = pack.seal("");
  pack.heard(create(CaseSchema, { sealed: [sealing(2, SealingState.SEALED), sealing(1, SealingState.SEALED)] }));
  answer(create(SealPackageResponseSchema, { sealed: sealing(2, SealingState.WAITING) }));
  expect([await second, standing()]).toEqual([true, ["sealed", "sealed"]]);
});
