// When and how somebody who waits is rung back, as it is typed. It is personal: nothing of it stays on the page once the question is closed.
import { get, make, say } from "../dom";
import { e164, incident, language } from "../format";
import type { WaitingCall } from "../gen/alcove/transfer/v1/service_pb";
import { fromField } from "../typed-time";
import { only, showFaults, typed, type Faults } from "./fields";

const LATER_FIELDS = ["later-from", "later-until", "later-number", "later-language", "later-word", "later-who"] as const;
/** Those of the caller's page; and whichever the call has. */
const LANGUAGES = ["en", "ar", "bn", "cy", "pa", "pl", "ro", "so", "uk", "ur"];
const [SHORTEST, LONGEST, AHEAD] = [10 * 60_000, 12 * 3_600_000, 14 * 86_400_000];

export function openLater(call: WaitingCall): void {
  clearLater();
  get("later").dataset.call = call.callId;
  say("later-what", `${incident(call)} leaves the queue, and is rung in this time only.`);
  say("later-hours", get("hours-overview").textContent ?? "");
  const its = call.language || "en";
  const all = [...new Set([...LANGUAGES, its])].map((tag) => make("option", language(tag), { value: tag }));
  get("later-language").replaceChildren(...all);
  get<HTMLSelectElement>("later-language").value = its;
  get<HTMLDialogElement>("later").showModal();
}

export function clearLater(): void {
  get<HTMLFormElement>("later-form").reset();
  get("later").dataset.call = "";
  for (const id of ["later-what", "later-hours", "later-trouble"]) say(id, "");
  showFaults(LATER_FIELDS, {});
}

export interface Agreed {
  callId: string;
  from: Date;
  until: Date;
  number: string;
  word: string;
  whoMayAnswer: string;
  language: string;
}

/** Nothing, when something is missing or wrong: then it is said by its field. */
export function agreedLater(now = Date.now()): Agreed | undefined {
  const [from, until, number] = [fromField(typed("later-from")), fromField(typed("later-until")), e164(typed("later-number"))];
  const faults = only({
    "later-from": !from ? "From when is it safe?" : from.getTime() - now > AHEAD && "That is more than 14 days ahead.",
    "later-until": !until ? "Until when is it safe?" : from && wrongEnd(from, until, now),
    "later-number": !number ? "Which number?" : !/^\+[1-9]\d{6,14}$/.test(number) && "That is no phone number. Type it as you would dial it.",
    "later-word": !typed("later-word") && "Agree on a word.",
    "later-who": !typed("later-who") && "Say who may answer. If nobody else may, write that.",
  });
  if (showFaults(LATER_FIELDS, faults) || !from || !until) return undefined;
  const chosen = get<HTMLSelectElement>("later-language").value;
  return { callId: get("later").dataset.call ?? "", from, until, number, word: typed("later-word"), whoMayAnswer: typed("later-who"), language: chosen === "en" ? "" : chosen };
}

function wrongEnd(from: Date, until: Date, now: number): string | undefined {
  if (until <= from) return "It ends before it begins.";
  if (until.getTime() - from.getTime() < SHORTEST) return "Too short: at least 10 minutes.";
  if (until.getTime() - from.getTime() > LONGEST) return "Too long: at most 12 hours.";
  return until.getTime() <= now ? "That is over." : undefined;
}

export const refusedLater = (faults: Faults) => showFaults(LATER_FIELDS, faults);
