// Mutual aid as sergeants agree it: offered by the lender, agreed by the borrower, ended by either (docs/mutual-aid.md).
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type Api, type Officer, reasonOf, requestId, surely, words } from "./api";
import { get, say } from "./dom";
import { forceName } from "./format";
import { type Loan, LoanState } from "./gen/alcove/transfer/v1/service_pb";
import { placeOf } from "./place";
import { sure } from "./sure";
import type { Faults } from "./view/fields";
import { clearLoanForm, ending, offeredLoan, partner, refusedLoan, renderLoans, spanOfLoan } from "./view/loans";

const REFUSED: Record<string, Faults> = {
  INVALID_FORCE: { "loan-to": "That is no force’s id." },
  INVALID_OFFICER: { "loan-officers": "One of these is no officer’s id." },
  INVALID_LOAN: { "loan-until": "It begins within 90 days, ends after it begins, is at most 14 days long, and isn’t over; and it is to another force." },
};
const SAID: Record<string, string> = {
  UNKNOWN_LOAN: "That loan isn’t there any more.",
  LOAN_OVER: "That loan is over already.",
  NOT_YOURS_TO_AGREE: "Only the force that borrows can agree to it.",
};

export class Loans {
  private loans: Loan[] = [];

  constructor(
    private readonly api: Api,
    private readonly officer: Officer,
    private readonly left: AbortSignal,
  ) {
    clearLoanForm();
    void this.list();
  }

  async list(): Promise<void> {
    try {
      const { loans } = await this.api.transfer.listLoans(placeOf(this.officer), { signal: this.left });
      if (this.left.aborted) return;
      this.loans = loans;
      renderLoans(loans, this.officer.force);
    } catch (error) {
      this.trouble(error);
    }
  }

  async offer(): Promise<void> {
    const offered = offeredLoan(this.officer.force);
    if (!offered) return;
    const { from, until, ...what } = offered;
    try {
      const request = { requestId: requestId(), ...placeOf(this.officer), ...what, from: timestampFromDate(from), until: timestampFromDate(until) };
      await surely(() => this.api.transfer.offerLoan(request));
      if (this.left.aborted) return;
      this.done(`Offered. They may go as soon as ${forceName(what.toForceId)} agrees.`);
      clearLoanForm();
      get("loan-to").focus();
    } catch (error) {
      if (this.left.aborted) return;
      const faults = REFUSED[reasonOf(error)];
      if (faults) refusedLoan(faults);
      else this.trouble(error);
    }
    await this.list();
  }

  async agree(loanId: string): Promise<void> {
    try {
      const request = { requestId: requestId(), ...placeOf(this.officer), loanId };
      const { loan } = await surely(() => this.api.transfer.agreeLoan(request));
      if (this.left.aborted) return;
      this.done(`Agreed. ${loan ? `${partner(loan, this.officer.force)}’s officers may come, ${spanOfLoan(loan)}.` : ""}`);
      get("loans-title").focus();
    } catch (error) {
      this.trouble(error);
    }
    await this.list();
  }

  async end(loanId: string): Promise<void> {
    const loan = this.loans.find((one) => one.loanId === loanId);
    if (!loan) return;
    const { title, go, done } = ending(loan, this.officer.force);
    const after = loan.state === LoanState.AGREED ? " They are offered no more calls there. A call that goes on stays theirs until it ends." : "";
    const about = `${partner(loan, this.officer.force)}, ${spanOfLoan(loan)}: ${loan.officers.join(", ")}.${after}`;
    if (!(await sure({ title, words: about, go }))) return;
    try {
      const request = { requestId: requestId(), ...placeOf(this.officer), loanId };
      await surely(() => this.api.transfer.endLoan(request));
      if (this.left.aborted) return;
      this.done(done);
      get("loans-title").focus();
    } catch (error) {
      this.trouble(error);
    }
    await this.list();
  }

  private done(what: string): void {
    say("loans-trouble", "");
    say("loans-said", what);
  }

  private trouble(error: unknown): void {
    if (this.left.aborted) return;
    say("loans-said", "");
    say("loans-trouble", SAID[reasonOf(error)] ?? words(error));
  }
}
