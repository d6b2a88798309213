// An answer about who may come into a call is shown on that call's card, and on no other's.
import { Code, ConnectError } from "@connectrpc/connect";
import { beforeEach, expect, test } from "vitest";
import { body } from "../screens";
import type { Api } from "../src/api";
import { Role } from "../src/gen/alcove/session/v1/service_pb";
import { People } from "../src/people";
import { clearCall } from "../src/view/call";

const officer = { id: "pc-okafor", name: "PC Ada Okafor", force: "wmp", roles: [] };
const text = (id: string) => document.getElementById(id)!.textContent;

let answer: { done(what: object): void; refuse(reason: string): void };
const slow = () =>
  new Promise<object>((done, refused) => {
    const refuse = (reason: string) => {
      const error = new ConnectError("no", Code.NotFound);
      error.details.push({ type: "google.rpc.ErrorInfo", value: new Uint8Array([0x0a, reason.length, ...new TextEncoder().encode(reason)]) });
      refused(error);
    };
    answer = { done, refuse };
  });
const api = { session: { issueInvitation: slow, revokeInvitation: slow, admitParticipant: slow, removeParticipant: slow } } as unknown as Api;
const CODE = { code: "K7QF-2M9X", pageUrl: "https://a.test/" };

beforeEach(() => {
  document.body.innerHTML = body(".");
  clearCall("c1");
});

test("a code is on the card of its call", async () => {
  const asked = new People(api, officer, "c1", new AbortController().signal).invite(Role.CALLER);
  answer.done(CODE);
  await asked;
  expect(text("code")).toBe("K7QF-2M9X");
});

test("what is answered after the call was left is nowhere on the next call’s card", async () => {
  const left = new AbortController();
  const people = new People(api, officer, "c1", left.signal);
  const acts: [() => Promise<void>, object][] = [
    [() => people.invite(Role.CALLER), CODE],
    [() => people.withdraw(), {}],
    [() => people.text("07700 900123"), CODE],
    [() => people.admit("p1"), {}],
    [() => people.remove("p1"), {}],
  ];
  left.abort();
  clearCall("c2");
  document.getElementById("call-trouble")!.textContent = "What is wrong with the other call.";
  const card = () => [text("code"), text("code-left"), document.getElementById("code-card")!.dataset.state, document.getElementById("text-to")!.hidden, text("call-trouble")];
  const before = card();
  for (const [act, what] of acts) {
    for (const isRefused of [false, true]) {
      const asked = act();
      if (isRefused) answer.refuse("NO_NUMBER");
      else answer.done(what);
      await asked;
      expect(card()).toEqual(before);
    }
  }
});
