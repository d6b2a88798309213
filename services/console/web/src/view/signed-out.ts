// The sign above a call whose officer is signed out. It takes no focus: they are speaking with somebody.
import { get, say } from "../dom";

export function renderSignedOut(is: boolean): void {
  const sign = get("signed-out");
  // The way to sign in goes from under their finger.
  if (!is && sign.contains(document.activeElement)) get("call-title").focus({ preventScroll: true });
  sign.hidden = !is;
  // Said when it comes, so that it is read out.
  say("signed-out-words", is ? "You are signed out. The call goes on." : "");
}
