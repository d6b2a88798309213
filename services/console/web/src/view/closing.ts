// The end is spoken, too: the officer's words for it, in front of them when they are about to end.
import { say } from "../dom";

const TIME = new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/London", hour: "2-digit", minute: "2-digit" });

export function renderClosing(now = new Date()): void {
  say("confirm-closing", `Say it first: “It is ${TIME.format(now)}. I am ending the call now.”`);
}
