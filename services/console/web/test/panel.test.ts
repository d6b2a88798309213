// Whose case the panel is of, what it asks for and when, and what is left of it.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { body } from "../screens";
import type { Api, Officer } from "../src/api";
import { RiskGrade } from "../src/gen/alcove/intake/v1/service_pb";
import { ClockState, type Due, DueSchema } from "../src/gen/alcove/referral/v1/help_pb";
import { CaseSchema, type WatchCaseRequest } from "../src/gen/alcove/referral/v1/service_pb";
import { FindingSchema, QuestionSetSchema } from "../src/gen/alcove/referral/v1/risk_pb";
import { lentTo } from "../src/place";
import { loudestFirst } from "../src/view/due";
import { FIELDS, fieldsOf, whereWritten } from "../src/view/work/fields";
import { PersonRole } from "../src/gen/alcove/referral/v1/people_pb";
import { followWork } from "../src/work/follow";
import { anyUnsent } from "../src/work/unsent";

const OKAFOR: Officer = { id: "pc-okafor", name: "PC Ada Okafor", force: "wmp", roles: ["desk_officer"] };
const by = (id: string) => document.getElementById(id)!;
const all = (selector: string) => [...document.querySelectorAll<HTMLElement>(selector)];
const pass = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

const set = create(QuestionSetSchema, {
  questions: ["a", "b"].map((key) => ({ key, text: `Is it ${key}?`, bold: key === "a", choices: [{ key: "yes", text: "Yes", ticks: 1 }, { key: "no", text: "No" }, { key: "not-asked", text: "Not asked" }] })),
});
const finding = create(FindingSchema, { least: RiskGrade.MEDIUM, because: ["1 of 2 yes"], unanswered: ["b"], mediumFrom: 1, highFrom: 2 });

interface Stream {
  request: WatchCaseRequest;
  signal: AbortSignal;
  tell(now: MessageInitShape<typeof CaseSchema>): void;
}
let streams: Stream[];
let officer: Officer | undefined;
let refuses: ConnectError | undefined;
const saveAssessment = vi.fn(async (_: unknown) => {
  if (refuses) throw refuses;
  return { version: 1n, finding };
});
const getAssessmentForm = vi.fn(async (_: unknown) => ({ set, assessmentId: "a1" }));
async function* watchCase(request: WatchCaseRequest, { signal }: { signal: AbortSignal }) {
  let tell: (now: MessageInitShape<typeof CaseSchema>) => void = () => {};
  streams.push({ request, signal, tell: (now) => tell(now) });
  while (!signal.aborted) {
    const heard = await new Promise<MessageInitShape<typeof CaseSchema>>((told, no) => {
      tell = told;
      signal.addEventListener("abort", () => no(new ConnectError("left", Code.Canceled)));
    });
    yield { case: create(CaseSchema, heard) };
  }
}
const api = { referral: { watchCase, saveAssessment, getAssessmentForm, listQuestionSets: async () => ({ sets: [] }), listReferralKinds: async () => ({ kinds: [] }) } } as unknown as Api;

async function see(view: string, call = "c1"): Promise<void> {
  by("call").dataset.call = call;
  by("after").dataset.call = call;
  document.body.dataset.view = view;
  await pass();
  await pass();
}

beforeEach(() => {
  vi.useFakeTimers();
  document.body.innerHTML = body(".");
  document.body.dataset.view = "desk";
  streams = [];
  officer = OKAFOR;
  refuses = undefined;
  vi.clearAllMocks();
  followWork(() => officer && { api, officer, consents: undefined });
});
afterEach(() => {
  document.body.dataset.view = "sign-in";
  officer = undefined;
  vi.useRealTimers();
});

test("it is of the call on the screen, goes on after it, and leaves nothing at the desk", async () => {
  await see("call");
  expect([streams.length, getAssessmentForm.mock.calls.length], "no assessment begins before somebody looks").toEqual([1, 0]);
  expect(streams[0]!.request).toMatchObject({ forceId: "wmp", callId: "c1" });
  by("tab-risk").click();
  await pass();
  expect([getAssessmentForm.mock.calls.length, all(".question").length]).toEqual([1, 2]);
  expect(all(".question[data-bold=true] .q-text").map((one) => one.textContent), "said in words, too").toEqual(["Weighs most Is it a?"]);
  await see("after");
  expect([streams.length, streams[0]!.signal.aborted, by("work").dataset.at, by("tab-call").hidden]).toEqual([1, false, "after", true]);
  await see("desk");
  expect([streams[0]!.signal.aborted, all(".question, .person, .referral").length]).toEqual([true, 0]);
  await see("call", "c2");
  expect([streams[1]!.request.callId, by("work").dataset.tab, by("work").parentElement!.id, by("work").nextElementSibling!.id]).toEqual(["c2", "call", "call-body", "side"]);
});

test("what wasn’t sent when the call was left still is, but not once another is signed in", async () => {
  await see("call");
  by("tab-risk").click();
  await pass();
  refuses = new ConnectError("nobody is there", Code.Unavailable);
  all("[data-choice=yes]")[0]!.click();
  await pass();
  expect([by("work-unsent").textContent, anyUnsent()]).toEqual(["One thing isn’t saved yet, trying again. Leave this page open.", true]);
  await see("desk");
  refuses = undefined;
  await pass(6000);
  const ids = saveAssessment.mock.calls.map(([request]) => (request as { requestId: string }).requestId);
  expect([ids.length > 1, new Set(ids).size, anyUnsent()]).toEqual([true, 1, false]);

  await see("call", "c3");
  by("tab-risk").click();
  await pass();
  refuses = new ConnectError("nobody is there", Code.Unavailable);
  all("[data-choice=no]")[0]!.click();
  await pass();
  officer = undefined;
  await see("sign-in");
  const before = saveAssessment.mock.calls.length;
  refuses = undefined;
  await pass(20_000);
  expect([saveAssessment.mock.calls.length, anyUnsent()]).toEqual([before, false]);
});

test("what is left of a call before is not sent once another is signed in", async () => {
  await see("call", "c4");
  by("tab-risk").click();
  await pass();
  refuses = new ConnectError("nobody is there", Code.Unavailable);
  all("[data-choice=yes]")[0]!.click();
  await pass();
  await see("desk");
  officer = undefined;
  await see("sign-in");
  const before = saveAssessment.mock.calls.length;
  refuses = undefined;
  await pass(20_000);
  expect([saveAssessment.mock.calls.length, anyUnsent()]).toEqual([before, false]);
});

test("a lent officer asks in the name that they have at that desk", async () => {
  officer = lentTo(OKAFOR, "kent");
  await see("call");
  by("tab-risk").click();
  await pass();
  expect(getAssessmentForm.mock.calls[0]![0]).toMatchObject({ forceId: "kent", officerId: "pc-okafor@wmp", callId: "c1" });
  streams[0]!.tell({ checklist: [{ key: "officer-statement", required: true, state: 1 }, { key: "bail", answeredByNote: true, state: 1 }] });
  await pass();
  expect(["statement-part", "schedule-part", "seal-part", "again-part"].map((id) => by(id).hidden), "what that force's own officers do").toEqual([true, true, true, true]);
  expect([by("pack-officer-statement-way").hidden, by("pack-bail-say").hidden, by("work").dataset.lent]).toEqual([true, false, "true"]);
});

test("while the console doesn’t know us nothing is asked, and all of it is when it does again", async () => {
  await see("call");
  by("tab-risk").click();
  await pass();
  by("signed-out").hidden = false;
  all("[data-choice=yes]")[0]!.click();
  await pass(10_000);
  expect(saveAssessment).not.toHaveBeenCalled();
  by("signed-out").hidden = true;
  await pass(2000);
  expect(saveAssessment).toHaveBeenCalledTimes(1);
});

test("that others can’t be heard is said once it goes on, and nothing is said of referrals before they were heard", async () => {
  const real = api.referral.watchCase;
  api.referral.watchCase = (async function* () {
    throw new ConnectError("nobody is there", Code.Unavailable);
  }) as typeof real;
  await see("call");
  expect([by("work-trouble").textContent, by("referrals-none").hidden]).toEqual(["", true]);
  await pass(3000);
  expect(by("work-trouble").textContent).toContain("trying again");
  api.referral.watchCase = real;
  await pass(6000);
  streams[0]!.tell({});
  await pass();
  expect([by("work-trouble").textContent, by("referrals-none").hidden]).toEqual(["", false]);
});

test("what was refused is asked about before it is left", async () => {
  const leaves = () => window.dispatchEvent(new Event("beforeunload", { cancelable: true }));
  await see("call");
  by("tab-risk").click();
  await pass();
  expect(leaves()).toBe(true);
  refuses = new ConnectError("no", Code.InvalidArgument);
  all("[data-choice=yes]")[0]!.click();
  await pass();
  expect([anyUnsent(), leaves()]).toEqual([false, false]);
});

test("the grade that is due is chosen, less can’t be, and that answers moved is said", async () => {
  await see("call");
  by("tab-risk").click();
  await pass();
  const now = { assessment: { assessmentId: "a1", version: 3n, finding, grading: { grade: RiskGrade.MEDIUM, version: 2n, officerId: "pc-singh" } } };
  streams[0]!.tell(now);
  await pass();
  const radio = (key: string) => by(`grade-${key}`) as HTMLInputElement;
  expect([radio("standard").disabled, radio("medium").checked, by("grade-given").textContent]).toEqual([true, true, "Medium riskpc-singhAnswers were saved since: give it again."]);
  radio("high").click();
  expect(by("grade-why").textContent).toBe("Why high, above what the answers say");
  streams[0]!.tell({ ...now, version: 2n });
  await pass();
  expect(radio("high").checked, "what the officer has chosen stays").toBe(true);
  expect(by("grade-fast-track").hidden).toBe(true);
});

test("a high grade that was chosen stays when an answer raises what is due, and needs no reason for what contradicts", async () => {
  await see("call");
  by("tab-risk").click();
  await pass();
  const told = async (version: bigint, least: RiskGrade) => {
    streams[0]!.tell({ assessment: { assessmentId: "a1", version, finding: create(FindingSchema, { least, contradictions: [{ text: "Both", questions: ["a", "b"] }] }) } });
    await pass();
  };
  const high = by("grade-high") as HTMLInputElement;
  await told(3n, RiskGrade.STANDARD);
  high.click();
  await told(4n, RiskGrade.MEDIUM);
  expect(high.checked).toBe(true);
  await told(5n, RiskGrade.HIGH);
  expect([high.checked, by("grade-reason").getAttribute("aria-required")]).toEqual([true, "false"]);
});

test("every field of a person is read as it was set, and each role has its own", () => {
  expect(new Set(FIELDS.map(({ key }) => key)).size).toBe(FIELDS.length);
  const of = (role: PersonRole) => fieldsOf(role).map(({ key }) => key);
  expect([of(PersonRole.VICTIM).includes("safe_contact.never"), of(PersonRole.SUSPECT).includes("safe_contact.never"), of(PersonRole.CHILD).includes("child.voice"), of(PersonRole.CHILD).includes("phone")]).toEqual([true, false, true, false]);
});

test("what a referral lacks leads to where it is written down", () => {
  const keys = ["victim.name", "victim.safe_contact.ways", "victim.interpreter", "suspect.date_of_birth", "suspect.name", "child.school", "child.saw_or_heard", "child.needs", "children", "incident.place", "victim.address"];
  expect(keys.map(whereWritten).map(({ role, field }) => `${PersonRole[role]} ${field}`)).toEqual([
    "VICTIM given_name", "VICTIM safe_contact.ways", "VICTIM interpreter_needed", "SUSPECT date_of_birth", "SUSPECT given_name", "CHILD child.school", "CHILD child.saw_or_heard", "CHILD needs", "CHILD ", "VICTIM address", "VICTIM address",
  ]);
});

test("what is due: whom to ring first, then what is late, then what is near", () => {
  const clock = (state: ClockState, seconds: bigint): Due => create(DueSchema, { incident: `${state}/${seconds}`, what: { case: "clock", value: { state, dueAt: { seconds } } } });
  const failed = create(DueSchema, { incident: "failed", what: { case: "failedDelivery", value: { at: { seconds: 99n } } } });
  expect(loudestFirst([clock(ClockState.NEAR, 2n), clock(ClockState.NEAR, 1n), clock(ClockState.MISSED, 9n), failed]).map(({ incident }) => incident)).toEqual(["failed", "3/9", "2/1", "2/2"]);
});
