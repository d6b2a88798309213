// The sergeant's screen of what is to come: shifts, and officers lent and borrowed. Heard when it is opened and after each change.
import type { Api, Officer } from "./api";
import { get, say } from "./dom";
import { Loans } from "./loans";
import { Shifts } from "./shifts";
import { renderLoans } from "./view/loans";
import { renderDays } from "./view/shifts";

export class Rota {
  private readonly left = new AbortController();
  readonly shifts: Shifts;
  readonly loans: Loans;

  constructor(api: Api, officer: Officer) {
    this.shifts = new Shifts(api, officer, this.left.signal);
    this.loans = new Loans(api, officer, this.left.signal);
  }

  /** Nothing of it stays on the page. */
  close(): void {
    this.left.abort();
    for (const form of ["shift-form", "loan-form"]) get<HTMLFormElement>(form).reset();
    for (const said of ["shifts-said", "shifts-trouble", "loans-said", "loans-trouble"]) say(said, "");
    renderDays([]);
    renderLoans([], "");
    // Whether there is none is not known before it is heard again.
    for (const none of ["shifts-none", "loans-none"]) get(none).hidden = true;
  }
}

export function followRota(current: () => Rota | undefined): void {
  const pressed = (list: string, acts: Record<string, (data: DOMStringMap) => Promise<void> | void | undefined>) =>
    get(list).addEventListener("click", async (event) => {
      const button = (event.target as HTMLElement).closest<HTMLButtonElement>("button[data-act]");
      if (!button) return;
      button.setAttribute("aria-disabled", "true");
      await acts[button.dataset.act ?? ""]?.(button.dataset);
      button.removeAttribute("aria-disabled");
    });
  pressed("shift-days", {
    change: ({ shift = "" }) => current()?.shifts.change(shift),
    cancel: ({ shift = "" }) => current()?.shifts.cancel(shift),
  });
  pressed("loan-rows", {
    agree: ({ loan = "" }) => current()?.loans.agree(loan),
    end: ({ loan = "" }) => current()?.loans.end(loan),
  });
  get("shift-leave").addEventListener("click", () => {
    current()?.shifts.change("");
    get("shift-of").focus();
  });
  const sent = (form: string, button: string, send: () => Promise<void> | undefined) =>
    get(form).addEventListener("submit", async (event) => {
      event.preventDefault();
      get<HTMLButtonElement>(button).disabled = true;
      await send();
      get<HTMLButtonElement>(button).disabled = false;
    });
  sent("shift-form", "shift-go", () => current()?.shifts.set());
  sent("loan-form", "loan-go", () => current()?.loans.offer());
}
