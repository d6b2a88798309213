// That somebody is to be sent: asked for with a reason, and how it fares. Nothing here makes a sound. What is done about it is in
// ../fast-track.ts.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { get, make, say } from "../dom";
import { clock } from "../format";
import { FastTrackState } from "../gen/alcove/intake/v1/service_pb";
import type { FastTrack, Session } from "../gen/alcove/session/v1/service_pb";

/** The contract's words, in the order in which they are needed. */
const REASONS: Record<string, string> = {
  DANGER: "They are in danger now",
  OFFENDER_BACK: "The offender has come back",
  MEDICAL: "Somebody is hurt or ill",
  CHILD: "A child is at risk",
  OTHER: "Something else",
};

export function renderReasons(): void {
  const items = Object.entries(REASONS).map(([reason, words]) => {
    const item = make("div", "", { class: "govuk-radios__item" });
    const id = `fast-track-${reason.toLowerCase()}`;
    item.append(
      make("input", "", { class: "govuk-radios__input", type: "radio", name: "fast-track-reason", id, value: reason }),
      make("label", words, { class: "govuk-label govuk-radios__label", for: id }),
    );
    return item;
  });
  get("fast-track-why").replaceChildren(...items);
}

/** The most urgent answers are chosen already: the key, and Enter. */
export function openAsk(): void {
  get<HTMLFormElement>("fast-track-form").reset();
  const first = get("fast-track-why").querySelector<HTMLInputElement>("input")!;
  first.checked = true;
  get<HTMLDialogElement>("fast-track-ask").showModal();
  first.focus();
}

export function chosen(): { reason: string; risk: number } {
  const reason = [...get("fast-track-why").querySelectorAll("input")].find((one) => one.checked)?.value ?? "OTHER";
  return { reason, risk: Number(get<HTMLSelectElement>("fast-track-risk").value) };
}

/** The newest of them; what is asked for again is another. */
export function renderFastTrack({ fastTracks }: Pick<Session, "fastTracks">): void {
  const newest = fastTracks.at(-1);
  const sign = get("fast-track-sign");
  sign.hidden = !newest;
  sign.dataset.state = newest ? FastTrackState[newest.state].toLowerCase() : "none";
  say("fast-track-words", newest ? inWords(newest) : "");
}

function inWords({ state, timesRaised, requestedAt, acknowledgedAt, takenBy, unit, reason }: FastTrack): string {
  const asked = `${REASONS[reason] ?? reason}: you asked for somebody${requestedAt ? ` at ${clock(timestampDate(requestedAt))}` : ""}.`;
  switch (state) {
    case FastTrackState.ACKNOWLEDGED:
      return `${unit ? `${unit} is being sent` : "Somebody is being sent"}: ${takenBy} took it on${acknowledgedAt ? ` at ${clock(timestampDate(acknowledgedAt))}` : ""}.`;
    case FastTrackState.RAISED_AGAIN:
      return `${asked} Nobody has taken it on yet: raised ${timesRaised} times, to the sergeants, too.`;
    default:
      return `${asked} Waiting for the control room to take it on…`;
  }
}
