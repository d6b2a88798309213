// What the caller agrees to, or no longer does, told in the call: written down with who heard it and how. Everything that hangs on it is
// stopped by the services, not by this page.
import { type Api, type Officer, requestId, surely, words } from "./api";
import { get, say } from "./dom";
import { placeOf } from "./place";
import { askHow, type Change, changeOf, clearConsents, inWords } from "./view/consents";
import { addMark } from "./view/timeline";

export class Consents {
  private asked: Change | undefined;

  constructor(
    private readonly api: Api,
    private readonly officer: Officer,
    private readonly callId: string,
  ) {
    clearConsents();
  }

  /** Has the officer say how they heard it; undefined: not after all. */
  ask(change: Change | undefined): void {
    this.asked = change;
    askHow(change, this.officer.name);
  }

  async write(): Promise<void> {
    const change = this.asked;
    if (!change) return say("consent-trouble", "Nothing was written down. Choose once more what the caller has said.");
    const { kind, given, subject = "" } = change;
    const how = get<HTMLSelectElement>("consent-how").value;
    const { forceId, officerId: takenBy } = placeOf(this.officer);
    const about = { requestId: requestId(), forceId, callId: this.callId, takenBy };
    try {
      if (given) await surely(() => this.api.intake.recordConsent({ ...about, consents: [{ kind, given, how, subject }] }));
      else await surely(() => this.api.intake.withdrawConsent({ ...about, kind, how, subject }));
      addMark("consent", inWords(change));
      say("consent-said", "Written down.");
      say("consent-trouble", "");
      this.ask(undefined);
      // The form is gone from under the officer's finger.
      get("part-consents").focus();
    } catch (error) {
      say("consent-trouble", words(error));
    }
  }
}

/** The buttons and the form, for whichever call there is. */
export function followConsents(current: () => Consents | undefined): void {
  get("consents").addEventListener("click", (event) => {
    const button = (event.target as HTMLElement).closest<HTMLButtonElement>("button[data-consent]");
    if (button) current()?.ask(changeOf(button));
  });
  get("consent-leave").addEventListener("click", () => {
    current()?.ask(undefined);
    get("part-consents").focus();
  });
  get("consent-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = get<HTMLButtonElement>("consent-write");
    button.disabled = true;
    await current()?.write();
    button.disabled = false;
  });
}
