// The buttons of the help part, and the ways from it to where something is still to be said.
import type { Consents } from "../consents";
import { get, view } from "../dom";
import { ConsentKind } from "../gen/alcove/intake/v1/service_pb";
import type { Referral } from "../gen/alcove/referral/v1/help_pb";
import { PersonRole } from "../gen/alcove/referral/v1/people_pb";
import { whereWritten } from "../view/work/fields";
import { renderChosen } from "../view/work/help";
import { tickLeft } from "../view/work/left";
import { select } from "../view/work/panel";
import { goToPerson } from "../view/work/persons";
import { noteOf, referralCard, referralOf, referralTrouble, show, typedIn } from "../view/work/referral";
import { toGrade, toRisk } from "./keys";
import type { Help } from "./help";
import type { Persons } from "./persons";

const TICK = 10_000;

export function followHelp(current: () => Help | undefined, persons: () => Persons | undefined, consents: () => Consents | undefined): void {
  setInterval(() => tickLeft(), TICK);
  get("help-kind").addEventListener("change", renderChosen);
  get("help-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const kind = get<HTMLSelectElement>("help-kind");
    if (!kind.value) return kind.focus();
    if (!(await current()?.add(kind.value, get<HTMLSelectElement>("help-child").value))) return;
    kind.value = "";
    renderChosen();
  });
  const list = get("referrals");
  list.addEventListener("change", async (event) => {
    const target = event.target as HTMLElement;
    const id = referralOf(target);
    const help = current();
    if (target.dataset.change === undefined || !help) return;
    const partner = typedIn(id, "partner");
    if (target === partner) partner.dataset.chosen = partner.value;
    // A note alone chooses nobody: whoever is of the area is still whoever that is when it is sent.
    const whom = !partner.dataset.chosen && help.isOfArea(id) ? "" : partner.value;
    await help.change(id, whom, noteOf(id));
  });
  list.addEventListener("click", async (event) => {
    const button = (event.target as HTMLElement).closest<HTMLButtonElement>("button");
    const help = current();
    const referral = button && help?.referral(referralOf(button));
    if (!button || !help || !referral) return;
    if (button.dataset.missing) return toMissing(button.dataset.missing, referral, persons());
    if (button.getAttribute("aria-disabled")) return;
    button.setAttribute("aria-disabled", "true");
    await press(button.dataset.act ?? "", referral, help, consents());
    button.removeAttribute("aria-disabled");
  });
}

async function press(act: string, referral: Referral, help: Help, consents: Consents | undefined): Promise<void> {
  const { referralId: id } = referral;
  const open = (part: string) => {
    show(referralCard(id)!, part, true);
    typedIn(id, part).focus();
  };
  /** With what was typed, which is needed. */
  const typed = async (part: string, lacks: string, go: (words: string) => Promise<unknown>) => {
    const field = typedIn(id, part);
    const words = field.value.trim();
    if (words === "") {
      referralTrouble(id, lacks);
      return field.focus();
    }
    await go(words);
  };
  switch (act) {
    case "consent":
      return toConsent(referral, true, consents);
    case "consent-back":
      return toConsent(referral, false, consents);
    case "send":
      if ((await help.send(id)) === "CONSENT_MISSING") toConsent(referral, true, consents);
      return;
    case "told":
      return open("by-hand");
    case "outcome-open":
      return open("outcome");
    case "withdraw-open":
      return open("withdraw");
    case "note-mine":
      return help.keepMine(id, noteOf(id).text);
    case "note-theirs":
      return help.takeTheirs(id);
    case "by-hand":
      return typed("by-hand", "Say whom you have told.", async (whom) => {
        if ((await help.send(id, whom)) === "CONSENT_MISSING") toConsent(referral, true, consents);
      });
    case "acknowledge":
      return typed("acknowledged", "Say who told you that they have it.", (who) => help.acknowledge(id, who));
    case "outcome":
      return typed("outcome", "Say what came of it.", (what) => help.outcome(id, what));
    case "withdraw":
      return typed("withdraw", "Say why it is taken back.", (why) => help.withdraw(id, why));
  }
}

/** To the consents of the call, or the same after it. */
function toConsent({ kind, title }: Referral, given: boolean, consents: Consents | undefined): void {
  if (view() === "call") select("call");
  consents?.ask({ kind: ConsentKind.REFERRAL, given, subject: `${kind}/1`, words: title });
}

/** To the field of the person, or the question, that a referral lacks. */
function toMissing(key: string, referral: Referral, persons: Persons | undefined): void {
  if (key.startsWith("risk.")) {
    return key === "risk.grade" ? toGrade() : toRisk();
  }
  select("people");
  const { role, field } = whereWritten(key);
  const person = persons?.keyFor(role, role === PersonRole.CHILD ? referral.personId : "");
  if (person) goToPerson(person, field);
}
