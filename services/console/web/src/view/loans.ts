// Officers lent to another force and borrowed from one, and the form that offers them. What is done about it is in ../loans.ts.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { get, make, say } from "../dom";
import { forceName, span } from "../format";
import { type Loan, LoanState } from "../gen/alcove/transfer/v1/service_pb";
import { fromField } from "../typed-time";
import { only, showFaults, typed, type Faults } from "./fields";
import { fill } from "./rows";

const LOAN_FIELDS = ["loan-to", "loan-from", "loan-until", "loan-officers"] as const;
const [LONGEST, MOST] = [14 * 86_400_000, 50];

/** What is done with it, on the button and in the question before it. */
export interface Ending {
  button: string;
  title: string;
  go: string;
  done: string;
}

/** One that is offered is taken back by the lender and declined by the borrower; one in force is ended by either. */
export function ending({ state, fromForceId }: Loan, ours: string): Ending {
  if (state === LoanState.AGREED) return { button: "End…", title: "End this loan?", go: "End the loan", done: "The loan is ended." };
  if (fromForceId === ours) return { button: "Take back…", title: "Take this offer back?", go: "Take it back", done: "The offer is taken back." };
  return { button: "Decline…", title: "Decline this offer?", go: "Decline it", done: "The offer is declined." };
}

/** Somebody waits for our answer. */
export const asksUs = ({ state, toForceId }: Loan, ours: string) => state === LoanState.OFFERED && toForceId === ours;

export const spanOfLoan = ({ from, until }: Loan, now?: Date) => (from && until ? span(timestampDate(from), timestampDate(until), now) : "—");

export const partner = (loan: Loan, ours: string) => forceName(loan.fromForceId === ours ? loan.toForceId : loan.fromForceId);

function stands(loan: Loan, ours: string): { words: string; key: string } {
  const other = partner(loan, ours);
  if (loan.state === LoanState.AGREED) return { words: "Agreed", key: "agreed" };
  if (loan.state === LoanState.OVER) return { words: loan.endedBy ? `Over, ended by ${loan.endedBy}` : "Over", key: "over" };
  return asksUs(loan, ours) ? { words: "Waits for your answer", key: "asks" } : { words: `Waits for ${other}’s answer`, key: "offered" };
}

/** What can be answered first, what is over last. */
export function renderLoans(loans: Loan[], ours: string): void {
  const rank = (loan: Loan) => (asksUs(loan, ours) ? 0 : loan.state === LoanState.OVER ? 2 : 1);
  fill(get("loan-rows"), [...loans].sort((a, b) => rank(a) - rank(b)).map((one) => row(one, ours)));
  get("loans-none").hidden = loans.length > 0;
}

function row(loan: Loan, ours: string): HTMLElement {
  const { words, key } = stands(loan, ours);
  const li = make("li", "", { "data-testid": "loan", "data-stands": key });
  const whose = loan.fromForceId === ours ? `Lent to ${partner(loan, ours)}` : `From ${partner(loan, ours)}`;
  const button = (act: string, text: string, look = "govuk-button--secondary") => {
    const it = make("button", text, { type: "button", class: `govuk-button ${look}`, "data-act": act, "data-loan": loan.loanId });
    it.append(make("span", `: ${whose}, ${spanOfLoan(loan)}`, { class: "govuk-visually-hidden" }));
    return it;
  };
  const acts = make("span", "", { class: "row" });
  if (asksUs(loan, ours)) acts.append(button("agree", "Agree", ""));
  if (loan.state !== LoanState.OVER) acts.append(button("end", ending(loan, ours).button));
  li.append(make("strong", whose), make("span", spanOfLoan(loan), { class: "figures loan-when" }), make("span", words, { class: "loan-stands" }), make("span", loan.officers.join(", "), { class: "hush loan-who" }), acts);
  return li;
}

export interface Offered {
  toForceId: string;
  officers: string[];
  from: Date;
  until: Date;
}

/** Nothing, when something is missing or wrong: then it is said by its field. */
export function offeredLoan(ours: string, now = Date.now()): Offered | undefined {
  const [toForceId, from, until] = [typed("loan-to").toLowerCase(), fromField(typed("loan-from")), fromField(typed("loan-until"))];
  const officers = [...new Set(typed("loan-officers").split(/[\s,;]+/).filter(Boolean))];
  const faults = only({
    "loan-to": !toForceId ? "Which force?" : toForceId === ours && "That is your own force.",
    "loan-from": !from && "From when?",
    "loan-until": !until ? "Until when?" : from && wrongEnd(from, until, now),
    "loan-officers": officers.length === 0 ? "Who is lent?" : officers.length > MOST && `At most ${MOST} officers.`,
  });
  if (showFaults(LOAN_FIELDS, faults) || !from || !until) return undefined;
  return { toForceId, officers, from, until };
}

function wrongEnd(from: Date, until: Date, now: number): string | undefined {
  if (until <= from) return "It ends before it begins.";
  if (until.getTime() - from.getTime() > LONGEST) return "A loan is at most 14 days long.";
  return until.getTime() <= now ? "That is over." : undefined;
}

export const refusedLoan = (faults: Faults) => showFaults(LOAN_FIELDS, faults);

export function clearLoanForm(): void {
  get<HTMLFormElement>("loan-form").reset();
  showFaults(LOAN_FIELDS, {});
}

/** On the overview: how many offers wait for an answer of ours. */
export function renderOffers(count: number): void {
  get("overview-loans").hidden = count === 0;
  say("overview-loans-words", count === 1 ? "Another force offers you officers, and waits for your answer." : `${count} offers of officers wait for your answer.`);
}
