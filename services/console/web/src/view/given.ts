// A call in progress that a sergeant has given to us. It rings like an offer until it is taken over: whoever is with the caller is sent
// away as soon as we join, so nobody joins who isn't there. What is done about it is in ../call.ts.
import { get, say } from "../dom";
import { Role, type Session, Standing } from "../gen/alcove/session/v1/service_pb";
import { hush, ring } from "../sound";

type Given = Pick<Session, "participants" | "successorOfficerId">;

/** Who is in it as its officer, other than us. */
function others({ participants }: Pick<Session, "participants">, officerId: string): string[] {
  return participants.filter((one) => one.role === Role.OFFICER && one.standing === Standing.IN && one.officerId !== officerId).map((one) => one.officerId);
}

/** The desk says that a call is ours before the session does: that somebody else is in it is enough. */
export function isGiven(session: Given, officerId: string): boolean {
  return session.successorOfficerId === officerId || others(session, officerId).length > 0;
}

export function renderGiven(session: Given | undefined, officerId = ""): void {
  const card = get("given");
  const shown = !card.hidden;
  const held = card.contains(document.activeElement);
  card.hidden = !session;
  if (!session) {
    if (!shown) return;
    if (held) get("call-title").focus();
    for (const id of ["given-trouble", "announce-now"]) say(id, "");
    document.title = "Alcove desk";
    return hush();
  }
  const there = others(session, officerId);
  const words = there.length > 0 ? `${there.join(", ")} is with the caller, and stays until you are in it.` : "Nobody is with the caller.";
  say("given-words", words);
  if (shown) return;
  document.title = "● A call is given to you – Alcove desk";
  say("announce-now", `A call is given to you. ${words} Take over when you are ready.`);
  get("take-over").focus();
  ring();
}
