// The officer's word on an item of the checklist that nothing else fills: it applies or it doesn't, and why. Words that are said often are
// there to be taken with one press, and stand in the field to be changed before they are saved.
import { get, make, say } from "../../dom";
import { type ChecklistItem, ItemState } from "../../gen/alcove/referral/v1/service_pb";

const OFTEN: Record<string, [boolean, string][]> = {
  photographs: [[false, "No injury was spoken of, and there was nothing to photograph."]],
  "children-and-neighbours": [[false, "No children live there, and no neighbour was spoken of."]],
  "bail-and-civil-orders": [
    [true, "Considered: a domestic abuse protection notice or order, and bail conditions. None is asked for at this time."],
    [true, "Considered: bail conditions are asked for, no contact and not to go to the address."],
    [true, "Considered: a domestic abuse protection notice is asked for."],
  ],
  "medical-consent": [
    [true, "Asked: they agree that their medical records are asked for."],
    [true, "Asked: they do not agree."],
    [false, "No injury was spoken of, and no treatment."],
  ],
  "later-photographs": [
    [false, "No injury was spoken of that could show later."],
    [true, "Photographs were taken again."],
  ],
};

const id = (key: string, part = "") => `note-${key.replace(/[^a-z0-9-]/gi, "_")}${part && `-${part}`}`;
const noteForm = (key: string) => document.getElementById(id(key)) as HTMLFormElement | null;
export const noteTrouble = (key: string, words: string) => void (noteForm(key) && say(id(key, "trouble"), words));
const text = (key: string) => get<HTMLTextAreaElement>(id(key, "text"));
const radio = (key: string, applies: boolean) => get<HTMLInputElement>(id(key, applies ? "applies" : "not"));

export function drawNote(key: string, title: string): HTMLElement {
  const form = make("form", "", { id: id(key), class: "note-form", "data-note": key, "aria-labelledby": title, novalidate: "" });
  form.hidden = true;
  const radios = make("div", "", { class: "govuk-radios govuk-radios--small", role: "radiogroup", "aria-labelledby": title });
  for (const [part, words] of [["applies", "It applies"], ["not", "It doesn’t apply"]] as const) {
    const item = make("div", "", { class: "govuk-radios__item" });
    item.append(make("input", "", { type: "radio", class: "govuk-radios__input", name: id(key, "which"), id: id(key, part) }), make("label", words, { class: "govuk-label govuk-radios__label", for: id(key, part) }));
    radios.append(item);
  }
  const often = make("div", "", { class: "often", role: "group", "aria-label": "Words that are said often" });
  for (const [applies, words] of OFTEN[key] ?? []) often.append(make("button", words, { type: "button", class: "often-words", "data-applies": String(applies) }));
  const row = make("div", "", { class: "row" });
  row.append(make("button", "Save", { type: "submit", class: "govuk-button" }), make("button", "Leave it", { type: "button", class: "govuk-button govuk-button--secondary", "data-leave": "" }));
  form.append(radios, often, make("label", "What was done or considered, or why it doesn’t apply", { class: "govuk-label", for: id(key, "text") }), make("textarea", "", { class: "govuk-textarea", id: id(key, "text"), rows: "3", maxlength: "1000", autocomplete: "off" }), row, make("p", "", { class: "trouble", id: id(key, "trouble"), role: "alert" }));
  return form;
}

/** How the last note has it, unless somebody is at it. */
export function renderNote(item: ChecklistItem): void {
  const form = noteForm(item.key);
  if (!form || !form.hidden) return;
  const states = { applies: item.state === ItemState.PRESENT, not: item.state === ItemState.NOT_APPLICABLE };
  given(item.key, states, item.evidence);
  radio(item.key, true).checked = states.applies;
  radio(item.key, false).checked = states.not;
  text(item.key).value = item.evidence;
}

/** What is saved of it. A browser takes what is ticked anew along with it, so that is put back. */
function given(key: string, is: { applies: boolean; not: boolean }, words: string): void {
  const { applies } = noteSaid(key);
  text(key).defaultValue = words;
  radio(key, true).defaultChecked = is.applies;
  radio(key, false).defaultChecked = is.not;
  if (applies !== undefined) radio(key, applies).checked = true;
}

export function openNote(key: string): void {
  const form = noteForm(key);
  if (!form) return;
  form.hidden = false;
  (form.querySelector<HTMLElement>("input:checked") ?? radio(key, true)).focus({ preventScroll: true });
  form.scrollIntoView({ block: "nearest" });
}

export function closeNote(key: string): void {
  const form = noteForm(key);
  if (!form) return;
  form.hidden = true;
  delete form.dataset.unsaved;
  noteTrouble(key, "");
}

/** It is saved as it was sent. What was typed meanwhile isn't, and stays. */
export function noteSaved(key: string, applies: boolean, words: string): void {
  if (!noteForm(key)) return;
  const now = noteSaid(key);
  if (now.applies === applies && now.words === words) return closeNote(key);
  given(key, { applies, not: !applies }, words);
  noteTyped(key);
  noteTrouble(key, "What stood here before is saved. What you have changed since isn’t yet.");
}

/** Takes words that are said often into the field. */
export function takeWords(key: string, applies: boolean, words: string): void {
  radio(key, applies).checked = true;
  text(key).value = words;
  noteTyped(key);
}

/** Something stands there that isn't saved. */
export function noteTyped(key: string): void {
  const form = noteForm(key);
  noteTrouble(key, "");
  const isSame = text(key).value === text(key).defaultValue && [true, false].every((one) => radio(key, one).checked === radio(key, one).defaultChecked);
  if (form) form.dataset.unsaved = isSame ? "no" : "yes";
}

export function noteSaid(key: string): { applies: boolean | undefined; words: string } {
  return { applies: radio(key, true).checked ? true : radio(key, false).checked ? false : undefined, words: text(key).value.trim() };
}

export const goToNote = (key: string, part: "applies" | "text") => get(id(key, part)).focus();
