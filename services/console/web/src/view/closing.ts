// How a call ends, and the officer's words for it: the end is spoken, too. What is done about it is in ../ending.ts.
import { get, say } from "../dom";
import { time } from "../format";


/** The choice that has to be said in words. */
const OTHER = "other";

/** Nothing of the last time: who is about to end a call is done, unless they say otherwise. */
export function openClosing(now = new Date()): void {
  get<HTMLFormElement>("confirm-form").reset();
  say("confirm-trouble", "");
  renderClosing(now);
  get<HTMLDialogElement>("confirm").showModal();
}

export function renderClosing(now = new Date()): void {
  const back = get<HTMLInputElement>("ending-back").checked;
  get("back").hidden = !back;
  const why = get<HTMLSelectElement>("back-why");
  // The browser asks for it where it is shown, and must not where it isn't.
  why.required = back;
  get("back-other").hidden = why.value !== OTHER;
  say("confirm-end", back ? "Give it back" : "End call");
  const next = back ? "Somebody of the control room goes on with you on the phone. " : "";
  // Covered, nobody hears it; and whoever asked for help may have somebody beside them who must not.
  const aloud = get("cover").hidden && get("duress").hidden;
  say("confirm-closing", !aloud ? "" : `Say it first: “It is ${time(now)}. ${next}I am ending the ${back ? "video " : ""}call now.”`);
}

/** Why the control room goes on with them; nothing if they are done. Empty: it isn't said yet. */
export function whyBack(): string | undefined {
  if (!get<HTMLInputElement>("ending-back").checked) return undefined;
  const why = get<HTMLSelectElement>("back-why").value;
  return why === OTHER ? get<HTMLInputElement>("back-words").value.trim() : why;
}
