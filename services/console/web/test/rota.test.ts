// Shifts and loans as a sergeant types them: in Britain's time, and what is wrong is said by its field before anything is sent.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { beforeEach, expect, test } from "vitest";
import { body } from "../screens";
import type { Api } from "../src/api";
import { LoanSchema, LoanState, ShiftSchema } from "../src/gen/alcove/transfer/v1/service_pb";
import { Rota } from "../src/rota";
import { fromField, toField } from "../src/typed-time";
import { asksUs, ending, offeredLoan, renderLoans, renderOffers } from "../src/view/loans";
import { plannedShift, renderDays, renderShiftForm } from "../src/view/shifts";

const NOW = Date.parse("2026-11-27T12:00:00Z");
const at = (iso: string) => timestampFromDate(new Date(iso));
const by = (id: string) => document.getElementById(id) as HTMLInputElement;
const faults = (form: string) => [...by(form).querySelectorAll(".trouble")].map((one) => one.textContent);
const fill = (values: Record<string, string>) => Object.entries(values).forEach(([id, value]) => (by(id).value = value));
const loan = (what: MessageInitShape<typeof LoanSchema>) => create(LoanSchema, { from: at("2026-11-27T18:00:00Z"), until: at("2026-11-27T23:00:00Z"), officers: ["a", "b"], ...what });

beforeEach(() => {
  document.body.innerHTML = body(".");
});

test("what is typed is Britain’s time, in summer and in winter and in the nights between", () => {
  const utc = (value: string) => fromField(value)?.toISOString().slice(0, 16);
  expect([utc("2026-11-27T18:00"), utc("2026-07-27T18:00")]).toEqual(["2026-11-27T18:00", "2026-07-27T17:00"]);
  expect(utc("2026-10-25T01:30"), "the first of the two").toBe("2026-10-25T00:30");
  expect(utc("2027-03-28T01:30"), "the hour that is left out").toBe("2027-03-28T01:30");
  expect([utc(""), utc("tomorrow"), utc("2026-13-40T10:00")]).toEqual([undefined, undefined, undefined]);
  for (const iso of ["2026-11-27T18:00:00Z", "2026-07-27T23:30:00Z"]) expect(fromField(toField(new Date(iso)))?.getTime()).toBe(Date.parse(iso));
});

test("a shift that lacks something, or ends wrongly, is not sent and says what is wrong", () => {
  expect([plannedShift(NOW), faults("shift-form")]).toEqual([undefined, ["Whose shift is it?", "When does it begin?", "When does it end?"]]);
  expect([document.activeElement?.id, by("shift-of").getAttribute("aria-invalid")]).toEqual(["shift-of", "true"]);
  fill({ "shift-of": "pc-brown", "shift-from": "2026-11-27T18:00" });
  const ends = (until: string) => {
    fill({ "shift-until": until });
    return [plannedShift(NOW)?.until.toISOString(), faults("shift-form")[2]];
  };
  expect([ends("2026-11-27T18:00"), ends("2026-11-28T10:01")]).toEqual([[undefined, "It ends before it begins."], [undefined, "A shift is at most 16 hours long."]]);
  expect(ends("2026-11-28T10:00")).toEqual(["2026-11-28T10:00:00.000Z", ""]);
  fill({ "shift-from": "2026-11-27T02:00" });
  expect(ends("2026-11-27T10:00")).toEqual([undefined, "That is over."]);
});

test("shifts stand under their days, and one that gets another time keeps its officer", () => {
  const shift = (shiftId: string, of: string, from: string, until: string) => create(ShiftSchema, { shiftId, of, from: at(from), until: at(until) });
  const night = shift("2", "pc-singh", "2026-11-27T22:00:00Z", "2026-11-28T06:00:00Z");
  renderDays([shift("1", "pc-brown", "2026-11-27T14:00:00Z", "2026-11-27T22:00:00Z"), night, shift("3", "pc-brown", "2026-11-28T14:00:00Z", "2026-11-28T22:00:00Z")]);
  expect([...by("shift-days").children].map((one) => (one.tagName === "H3" ? one.textContent : [...one.children].map((row) => row.firstChild?.textContent)))).toEqual(["Friday 27 November", ["14:00 to 22:00", "22:00 to 06:00"], "Saturday 28 November", ["14:00 to 22:00"]]);
  renderShiftForm(night);
  expect([by("shift-of").value, by("shift-of").readOnly, by("shift-from").value, plannedShift(NOW)?.shiftId]).toEqual(["pc-singh", true, "2026-11-27T22:00", "2"]);
  renderShiftForm();
  expect([by("shift-of").value, by("shift-of").readOnly, by("shift-form").dataset.shift]).toEqual(["", false, ""]);
});

test("a loan says whose officers they are and who has to answer; what asks us comes first, what is over last", () => {
  const all = [
    loan({ loanId: "1", state: LoanState.OVER, fromForceId: "wmp", toForceId: "kent", endedBy: "sgt-hill@kent" }),
    loan({ loanId: "2", state: LoanState.OFFERED, fromForceId: "wmp", toForceId: "kent" }),
    loan({ loanId: "3", state: LoanState.OFFERED, fromForceId: "surrey", toForceId: "wmp" }),
    loan({ loanId: "4", state: LoanState.AGREED, fromForceId: "surrey", toForceId: "wmp" }),
  ];
  renderLoans(all, "wmp");
  const rows = [...by("loan-rows").children].map((li) => [li.children[0]!.textContent, li.children[2]!.textContent, [...li.querySelectorAll("button")].map((one) => one.firstChild?.textContent).join()]);
  expect(rows).toEqual([
    ["From Surrey", "Waits for your answer", "Agree,Decline…"],
    ["Lent to Kent", "Waits for Kent’s answer", "Take back…"],
    ["From Surrey", "Agreed", "End…"],
    ["Lent to Kent", "Over, ended by sgt-hill@kent", ""],
  ]);
  expect(all.filter((one) => asksUs(one, "wmp")).map(({ loanId }) => loanId)).toEqual(["3"]);
  expect([ending(all[1]!, "wmp").title, ending(all[2]!, "wmp").title, ending(all[3]!, "wmp").title]).toEqual(["Take this offer back?", "Decline this offer?", "End this loan?"]);
  renderOffers(2);
  expect([by("overview-loans").hidden, by("overview-loans-words").textContent]).toEqual([false, "2 offers of officers wait for your answer."]);
  renderOffers(0);
  expect(by("overview-loans").hidden).toBe(true);
});

test("an offer that lacks something is not sent; ids may be typed with commas or without", () => {
  expect([offeredLoan("wmp", NOW), faults("loan-form")]).toEqual([undefined, ["Which force?", "From when?", "Until when?", "Who is lent?"]]);
  fill({ "loan-to": "WMP", "loan-from": "2026-11-27T18:00", "loan-until": "2026-12-12T18:00", "loan-officers": "a, b a;c" });
  expect([offeredLoan("wmp", NOW), faults("loan-form")]).toEqual([undefined, ["That is your own force.", "", "A loan is at most 14 days long.", ""]]);
  fill({ "loan-to": "Kent", "loan-until": "2026-11-27T23:00" });
  expect(offeredLoan("wmp", NOW)).toMatchObject({ toForceId: "kent", officers: ["a", "b", "c"] });
});

const officer = { id: "sgt-price", name: "Sgt Carys Price", force: "wmp", roles: ["sergeant"] };
const settled = () => new Promise((done) => setTimeout(done));

/** Each request waits for its answer. */
function slow() {
  const waiting: Record<string, { done(answer?: object): void; refuse(): void }> = {};
  const ask = (method: string) => () => new Promise((done, refused) => (waiting[method] = { done: (answer = {}) => done(answer), refuse: () => refused(new Error("no")) }));
  const methods = ["listShifts", "setShift", "cancelShift", "listLoans", "offerLoan", "agreeLoan", "endLoan"];
  return { api: { transfer: Object.fromEntries(methods.map((one) => [one, ask(one)])) } as unknown as Api, waiting };
}

test("that there is none is said only once it was heard, and not when it can’t be", async () => {
  const { api, waiting } = slow();
  const none = () => [by("shifts-none").hidden, by("loans-none").hidden];
  const rota = new Rota(api, officer);
  expect(none()).toEqual([true, true]);
  waiting.listShifts!.refuse();
  waiting.listLoans!.done({ loans: [] });
  await settled();
  expect([none(), by("shifts-trouble").textContent]).toEqual([[true, false], "The service can't be reached at the moment."]);
  rota.close();
  expect(none()).toEqual([true, true]);
});

test("an answer that comes after the screen was left changes nothing on it", async () => {
  const { api, waiting } = slow();
  const rota = new Rota(api, officer);
  waiting.listShifts!.done({ shifts: [create(ShiftSchema, { shiftId: "1", of: "pc-brown" })] });
  waiting.listLoans!.done({ loans: [loan({ loanId: "1", state: LoanState.OFFERED, fromForceId: "surrey", toForceId: "wmp" })] });
  await settled();
  const typed = { "shift-of": "pc-singh", "shift-from": "2031-11-27T18:00", "shift-until": "2031-11-27T20:00", "loan-to": "kent", "loan-from": "2031-11-27T18:00", "loan-until": "2031-11-27T20:00", "loan-officers": "pc-singh" };
  fill(typed);
  const pressed = [rota.shifts.set(), rota.shifts.cancel("1"), rota.loans.offer(), rota.loans.agree("1")];
  by("sure-go").click();
  pressed.push(rota.loans.end("1"));
  by("sure-go").click();
  await settled();
  rota.close();
  const next = new Rota(slow().api, officer);
  fill(typed);
  by("shift-from").focus();
  for (const method of ["setShift", "cancelShift", "offerLoan", "agreeLoan", "endLoan"]) {
    waiting[method]!.done();
    await settled();
    expect([method, by("shifts-said").textContent, by("loans-said").textContent, document.activeElement?.id]).toEqual([method, "", "", "shift-from"]);
    expect(Object.keys(typed).map((id) => by(id).value)).toEqual(Object.values(typed));
  }
  // What refreshes the list is for a screen that is left, too.
  for (const method of ["listShifts", "listLoans"]) waiting[method]!.refuse();
  await Promise.all(pressed);
  next.close();
});
