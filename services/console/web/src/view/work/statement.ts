// The officer's statement on screen: its text, what of it is still to be filled in, another's version, and the earlier ones. What is done
// about it is in ../../work/statement.ts.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { get, make, say } from "../../dom";
import { moment, longDay } from "../../format";
import type { Statement } from "../../gen/alcove/referral/v1/package_pb";
import { BLANK, blankAfter, blanksIn, fitsIn, struck } from "./blanks";
import { fold } from "./package";

export interface Made {
  last: Statement | undefined;
  dirty: boolean;
  officer: string;
}

const area = () => get<HTMLTextAreaElement>("statement-text");
export const statementText = () => area().value;
export const statementTrouble = (words: string) => say("statement-trouble", words);
export const hideStatement = (is: boolean) => void (get("statement-part").hidden = is);

let signer = "";

export function clearStatement(): void {
  signer = area().value = "";
  for (const id of ["statement-state", "statement-draft-said", "statement-trouble", "blanks-words"]) say(id, "");
  get("statement-versions").replaceChildren();
  get("statement-part").dataset.unsaved = "no";
  get("blanks").hidden = true;
  renderClash(undefined, "");
  fold("statement", false);
}

/** `about`: how it was drafted. */
export function renderText(text: string, about: string): void {
  area().value = text;
  say("statement-draft-said", about);
}

export function renderStatement({ last, dirty, officer }: Made): void {
  signer = officer;
  const part = get("statement-part");
  part.dataset.unsaved = dirty ? "yes" : "no";
  const saved = last ? `${last.declared ? "Declared" : "Saved, not declared"}, version ${last.version}` : "";
  say("statement-state", dirty ? "Not saved yet" : saved || (statementText() ? "Not saved yet" : "Not written yet"));
  const blanks = blanksIn(statementText());
  get("blanks").hidden = blanks.length === 0;
  if (blanks.length === 0) return say("blanks-words", "");
  const next = here()!;
  const left = blanks.length === 1 ? "1 place is still to be filled in" : `${blanks.length} places are still to be filled in`;
  say("blanks-words", `${left}. The next is on line ${next.line}: “${next.about}”`);
  const fits = fitsIn(statementText(), next, signer, longDay(Date.now()));
  get("blank-put").hidden = fits === "";
  say("blank-put", fits && `Put “${fits}”`);
  get("blank-put").dataset.words = fits;
}

/** The one that is selected, or the next from where they are. */
const here = () => blankAfter(statementText(), area().selectionStart === statementText().length ? 0 : area().selectionStart);

/** Into the text, with the next one selected: what is typed takes its place. */
export function goToBlank(past = false): void {
  const field = area();
  const from = field.selectionStart === field.value.length ? 0 : field.selectionStart;
  const isThere = field.value.slice(field.selectionStart, field.selectionEnd) === BLANK;
  const next = blankAfter(field.value, past && isThere ? from + 1 : from);
  if (!next) return field.focus();
  // A browser brings into view what is selected when the field is gone to.
  field.blur();
  field.setSelectionRange(next.at, next.at);
  field.focus();
  field.setSelectionRange(next.at, next.at + BLANK.length);
  // Lines may be broken, so how far down it is can only be estimated.
  field.scrollTop = Math.max(0, (field.scrollHeight * next.at) / Math.max(1, field.value.length) - field.clientHeight / 2);
}

function replace(from: number, to: number, words: string): void {
  area().setRangeText(words, from, to, "end");
  area().dispatchEvent(new Event("input", { bubbles: true }));
}

export function strikeBlank(): void {
  const next = here();
  if (next) replace(...struck(statementText(), next), "");
}

export function putIntoBlank(): void {
  const next = here();
  const { words } = get("blank-put").dataset;
  if (next && words) replace(next.at, next.at + BLANK.length, words);
}

const press = (act: string, words: string) => make("button", words, { type: "button", class: "govuk-button govuk-button--secondary", "data-version": act });

/** Another's version that came between, or what was typed before it was taken. */
export function renderClash(other: Statement | undefined, had: string): void {
  const box = get("statement-clash");
  const state = other ? `other ${other.version}` : had;
  if (box.dataset.state === state) return;
  box.dataset.state = state;
  box.dataset.standing = other ? "clash" : "none";
  if (other) {
    const row = make("div", "", { class: "row" });
    row.append(press("mine", "Keep yours, to be saved after it"), press("theirs", "Go on with theirs"));
    box.replaceChildren(make("p", `${other.officerId} has saved version ${other.version} meanwhile. Yours stands below, and nothing of it is lost.`, { class: "clash-words", role: "alert" }), whole("Their version", other.text, true), row);
  } else if (had) {
    const row = make("div", "", { class: "row" });
    row.append(press("back", "Put yours back"));
    box.replaceChildren(whole("What you had written", had, false), row);
  } else box.replaceChildren();
}

function whole(summary: string, text: string, open: boolean): HTMLElement {
  const one = make("details", "", { class: "r-says" });
  one.append(make("summary", summary), make("p", text, { class: "statement-said", tabindex: "0" }));
  (one as HTMLDetailsElement).open = open;
  return one;
}

/** Every version, the newest first. */
export function renderVersions(all: Statement[]): void {
  const box = get("statement-versions");
  const state = all.map(({ version }) => version).join();
  if (box.dataset.shown === state) return;
  box.dataset.shown = state;
  box.replaceChildren(
    ...all.map(({ version, officerId, at, declared, text }) => whole([`Version ${version}`, at && moment(timestampDate(at)), officerId, declared && "declared"].filter(Boolean).join(", "), text, false)),
  );
}
