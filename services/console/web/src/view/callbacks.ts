// Who is to be rung back, and the one that is being rung. Number and word are on the page only while they are the officer's to know. What
// is done about it is in ../callbacks.ts.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { facts, get, make, say } from "../dom";
import { duration, language, national, span } from "../format";
import { CallbackOutcome, CallbackState } from "../gen/alcove/intake/v1/service_pb";
import type { Callback, TakeCallbackResponse } from "../gen/alcove/transfer/v1/service_pb";
import { silentWords } from "./brief";
import { fill } from "./rows";


/** The contract's words. Nothing is chosen beforehand: what is written down decides whether they are rung again. */
const OUTCOMES: [CallbackOutcome, string][] = [
  [CallbackOutcome.REACHED, "I have them, they said the word: begin the call"],
  [CallbackOutcome.NO_ANSWER, "Nobody answered"],
  [CallbackOutcome.SOMEBODY_ELSE_ANSWERED, "Somebody else answered"],
  [CallbackOutcome.WORD_NOT_GIVEN, "They did not say the word"],
  [CallbackOutcome.NOT_SAFE, "It isn’t safe: nobody is to ring again"],
];
const BRIEF: Record<CallbackOutcome, string> = {
  [CallbackOutcome.UNSPECIFIED]: "",
  [CallbackOutcome.REACHED]: "reached",
  [CallbackOutcome.NO_ANSWER]: "no answer",
  [CallbackOutcome.SOMEBODY_ELSE_ANSWERED]: "somebody else answered",
  [CallbackOutcome.WORD_NOT_GIVEN]: "no word given",
  [CallbackOutcome.NOT_SAFE]: "not safe",
};

export function windowOf({ from, until }: Pick<Callback, "from" | "until">, now = new Date()): string {
  if (!from || !until) return "—";
  return span(timestampDate(from), timestampDate(until), now);
}

export function tried({ attempts }: Pick<Callback, "attempts">): string {
  const last = attempts.at(-1);
  if (!last) return "";
  return `tried ${attempts.length === 1 ? "once" : `${attempts.length} times`}, last: ${BRIEF[last.outcome]}`;
}

export function renderCallbacks(callbacks: Callback[], officerId: string): void {
  fill(get("callback-rows"), callbacks.map((one) => row(one, officerId)));
  get("callbacks").hidden = callbacks.length === 0;
  say("callbacks-count", callbacks.length === 0 ? "" : String(callbacks.length));
}

function row(one: Callback, officerId: string): HTMLElement {
  const mine = one.state === CallbackState.TAKEN && one.takenBy === officerId;
  const due = one.state === CallbackState.DUE;
  const stands = due ? "Due now" : one.state === CallbackState.TAKEN ? `${mine ? "You ring" : `${one.takenBy} rings`}` : "Not yet";
  const li = make("li", "", { "data-testid": "callback", "data-state": CallbackState[one.state].toLowerCase() });
  const about = [one.language && one.language !== "en" ? language(one.language) : "", tried(one)].filter(Boolean).join(", ");
  li.append(make("strong", windowOf(one)), make("span", stands, { class: "callback-stands" }), make("span", about, { class: "hush callback-about" }));
  if (due || mine) {
    const ring = make("button", mine ? "Go on" : "Ring them", { type: "button", class: "govuk-button govuk-button--secondary", "data-callback": one.callbackId });
    ring.append(make("span", `: ${windowOf(one)}`, { class: "govuk-visually-hidden" }));
    li.append(ring);
  }
  if (due || one.state === CallbackState.AGREED) {
    const cancel = make("button", "Cancel…", { type: "button", class: "govuk-button govuk-button--secondary", "data-cancel": one.callbackId, "data-what": windowOf(one) });
    cancel.append(make("span", `: ${windowOf(one)}`, { class: "govuk-visually-hidden" }));
    li.append(cancel);
  }
  return li;
}

export function renderOutcomes(): void {
  const items = OUTCOMES.map(([outcome, words]) => {
    const item = make("div", "", { class: "govuk-radios__item" });
    const id = `outcome-${outcome}`;
    item.append(
      make("input", "", { class: "govuk-radios__input", type: "radio", name: "outcome", id, value: String(outcome), required: "" }),
      make("label", words, { class: "govuk-label govuk-radios__label", for: id }),
    );
    return item;
  });
  get("ringing-how").replaceChildren(...items);
}

export function openRinging(taken: TakeCallbackResponse): void {
  get<HTMLFormElement>("ringing-form").reset();
  say("ringing-number", national(taken.number));
  facts(get("ringing-facts"), [
    ["They say first", make("span", `“${taken.word}”`, { class: "ringing-word" })],
    ["Who may answer", taken.whoMayAnswer],
    ["Language", language(taken.language)],
    ...(taken.silentCaller ? [["Speaks", `No. ${silentWords(taken.silentCaller)}: say that they need not answer aloud`] as [string, string]] : []),
  ]);
  say("ringing-trouble", "");
  get<HTMLDialogElement>("ringing").showModal();
}

export function renderLeft(until: Date, now = Date.now()): void {
  say("ringing-left", `Yours for ${duration(until.getTime() - now)}. Then somebody else may ring.`);
}

/** Nothing of it stays on the page. */
export function closeRinging(): void {
  for (const id of ["ringing-number", "ringing-left", "ringing-trouble"]) say(id, "");
  get("ringing-facts").replaceChildren();
  get<HTMLDialogElement>("ringing").close();
}

export function chosenOutcome(): CallbackOutcome {
  return Number([...get("ringing-how").querySelectorAll("input")].find((one) => one.checked)?.value ?? CallbackOutcome.UNSPECIFIED);
}
