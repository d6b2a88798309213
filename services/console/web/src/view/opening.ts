// What has to be said at the beginning of the recording, in the officer's words, to be ticked off. What is ticked is for the officer
// alone; the recording has what was said.
import { get, make, say } from "../dom";
import { spokenDay, time } from "../format";
import { RecordingState, Role, type Session, Standing } from "../gen/alcove/session/v1/service_pb";
import { roleWord } from "./people";

export interface Prompt {
  id: string;
  about: string;
  words: string;
}


/** In the order in which they are said. */
export function prompts(officer: string, session: Session, now: Date): Prompt[] {
  const isRecorded = session.recordingState === RecordingState.ON || session.recordingState === RecordingState.PAUSED;
  const others = session.participants.filter((one) => one.standing === Standing.IN && one.role !== Role.CALLER && one.role !== Role.OFFICER);
  // Nothing is asked aloud of a caller who doesn't speak.
  const asked = session.silentCaller ? ", written" : "";
  const named = others.map((one) => article(one.role)).join(" and ");
  return [
    { id: "when", about: "Date and time", words: `“It is ${spokenDay(now)}, ${time(now)}.”` },
    { id: "officer", about: "You", words: `“I am ${officer}. I am speaking to you by video.”` },
    {
      id: "recording",
      about: "Recording",
      words: isRecorded ? "“This call is being recorded. Ask me to stop whenever you like.”" : "“This call is not recorded.”",
    },
    { id: "caller", about: `The caller${asked}`, words: "“Please tell me your name.”" },
    { id: "place", about: `Place${asked}`, words: "“Where are you now?”" },
    { id: "present", about: `Everybody there${asked}`, words: "“Who is with you, children too, and who are they to you?”" },
    ...(named ? [{ id: "others", about: "Who else is in the call", words: `“With us ${others.length > 1 ? "are" : "is"} ${named}. Please say your name and why you are here.”` }] : []),
  ];
}

function article(role: Role): string {
  const word = roleWord(role).toLowerCase();
  return /^[aeiou]/.test(word) ? `an ${word}` : `a ${word}`;
}

export function clearOpening(): void {
  get("opening").replaceChildren();
  say("opening-left", "");
}

/** Changes words where they differ, and leaves the ticks. */
export function renderOpening(officer: string, session: Session, now = new Date()): void {
  const list = get("opening");
  const wanted = prompts(officer, session, now);
  for (const old of [...list.children]) if (!wanted.some(({ id }) => old.id === `opening-item-${id}`)) old.remove();
  for (const { id, about, words } of wanted) {
    const known = document.getElementById(`opening-words-${id}`);
    if (!known) list.append(item({ id, about, words }));
    // What has been said stays as it was said.
    else if (known.textContent !== words && !get<HTMLInputElement>(`opening-${id}`).checked) known.textContent = words;
  }
  countOpening();
}

function item({ id, about, words }: Prompt): HTMLElement {
  const div = make("div", "", { class: "govuk-checkboxes__item", id: `opening-item-${id}` });
  const label = make("label", "", { class: "govuk-label govuk-checkboxes__label", for: `opening-${id}` });
  label.append(make("strong", about), " ", make("span", words, { id: `opening-words-${id}` }));
  div.append(make("input", "", { class: "govuk-checkboxes__input", type: "checkbox", id: `opening-${id}`, "data-testid": "opening-tick" }), label);
  return div;
}

export function countOpening(): void {
  const left = get("opening").querySelectorAll("input:not(:checked)").length;
  say("opening-left", left === 0 ? "all said" : `${left} to say`);
}

export function followOpening(): void {
  get("opening").addEventListener("change", countOpening);
}
