// The caller has turned their own microphone off: a sign that stays until it is on again, so that nobody takes it for a fault or for
// somebody who doesn't answer.
import { say } from "../dom";

export function renderSilence(silent: boolean): void {
  say("silence", silent ? "They have turned their microphone off: nothing is wrong with the sound. They can write to you, or nod." : "");
}
