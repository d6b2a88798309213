// How a call ends, and the officer's words for it: the end is spoken, too. What is done about it is in ../ending.ts.
import { get, say } from "../dom";

const TIME = new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/London", hour: "2-digit", minute: "2-digit" });

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
  get("back-other").hidden = get<HTMLSelectElement>("back-why").value !== "";
  say("confirm-end", back ? "Give it back" : "End call");
  const next = back ? "Somebody of the control room goes on with you on the phone. " : "";
  say("confirm-closing", `Say it first: “It is ${TIME.format(now)}. ${next}I am ending the ${back ? "video " : ""}call now.”`);
}

/** Why the control room goes on with them; nothing if they are done. Empty: it isn't said yet. */
export function whyBack(): string | undefined {
  if (!get<HTMLInputElement>("ending-back").checked) return undefined;
  return get<HTMLSelectElement>("back-why").value || get<HTMLInputElement>("back-words").value.trim();
}
