// What the caller agrees to, as the session has it, and the form that writes down a change. What is done about it is in ../consents.ts.
import { get, make, say } from "../dom";
import { ConsentKind } from "../gen/alcove/intake/v1/service_pb";
import { RecordingState, type Session } from "../gen/alcove/session/v1/service_pb";

/** A change that the officer is about to write down. */
export interface Change {
  kind: ConsentKind;
  given: boolean;
  /** Which referral, of that kind only, and what it is called. */
  subject?: string;
  words?: string;
}

interface Standing {
  kind: ConsentKind;
  key: string;
  words: string;
  given: boolean;
  /** Whether it can be given in mid-call. */
  canBegin: boolean;
}

const WORDS: Partial<Record<ConsentKind, string>> = {
  [ConsentKind.VIDEO]: "Video",
  [ConsentKind.RECORDING]: "Recording",
  [ConsentKind.STILLS]: "Pictures",
  [ConsentKind.COVERED]: "Recording while covered",
};

export function standing({ recordingState, stills, coveredRecording }: Session): Standing[] {
  const recorded = recordingState === RecordingState.ON || recordingState === RecordingState.PAUSED;
  const one = (kind: ConsentKind, key: string, given: boolean, canBegin: boolean) => ({ kind, key, words: WORDS[kind]!, given, canBegin });
  return [
    one(ConsentKind.VIDEO, "video", true, false),
    one(ConsentKind.RECORDING, "recording", recorded, false),
    one(ConsentKind.STILLS, "stills", stills, true),
    one(ConsentKind.COVERED, "covered", coveredRecording, true),
  ];
}

export function clearConsents(): void {
  get("consents").replaceChildren();
  say("consent-said", "");
  say("consent-trouble", "");
  get("consent-form").hidden = true;
}

export function renderConsents(session: Session): void {
  const list = get("consents");
  const held = (document.activeElement as HTMLElement | null)?.dataset.consent;
  const now = standing(session);
  const state = now.map(({ key, given }) => `${key}:${given}`).join();
  if (list.dataset.state === state && list.children.length > 0) return;
  list.dataset.state = state;
  list.replaceChildren(...now.map(item));
  // The list was made anew under the officer's finger.
  if (held) list.querySelector<HTMLElement>(`[data-consent="${held}"]`)?.focus();
}

function item({ kind, key, words, given, canBegin }: Standing): HTMLElement {
  const li = make("li", "", { "data-kind": key, "data-given": String(given) });
  li.append(make("span", words), make("span", given ? "Yes" : "No", { class: `govuk-tag govuk-tag--${given ? "green" : "grey"}` }));
  if (!given && !canBegin) return li;
  const button = make("button", given ? "Withdrawn" : "Now given", {
    type: "button",
    class: "govuk-button govuk-button--secondary",
    "data-consent": String(kind),
    "data-given": String(!given),
    "aria-label": `${given ? "Withdrawn" : "Now given"}: ${words}`,
  });
  li.append(button);
  return li;
}

export function changeOf(button: HTMLElement): Change {
  return { kind: Number(button.dataset.consent), given: button.dataset.given === "true" };
}

export function inWords({ kind, given, words = WORDS[kind] ?? "" }: Change): string {
  if (kind === ConsentKind.VIDEO && !given) return "Video: they take it back. This ends the call for both of you.";
  if (kind === ConsentKind.RECORDING && !given) return "Recording: they take it back. It stops for good.";
  return `${words}: they ${given ? "agree now" : "take it back"}.`;
}

export function askHow(change: Change | undefined, officer: string): void {
  get("consent-form").hidden = !change;
  say("consent-asked", change ? inWords(change) : "");
  say("consent-by", change ? `Taken by ${officer}, now.` : "");
  if (!change) return;
  get("consent-how").focus();
  // The whole of it, not only where the focus is.
  get("consent-form").scrollIntoView({ block: "nearest" });
}
