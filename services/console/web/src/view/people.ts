// Who is in the call, who waits to be let in, and the buttons for it. What they do is in ../people.ts.
import { get, make, say } from "../dom";
import { type Participant, Role, type Session, Standing } from "../gen/alcove/session/v1/service_pb";
import { fill } from "./rows";

const ROLES: Record<Role, { key: string; word: string }> = {
  [Role.UNSPECIFIED]: { key: "unknown", word: "Somebody" },
  [Role.CALLER]: { key: "caller", word: "Caller" },
  [Role.OFFICER]: { key: "officer", word: "Officer" },
  [Role.OBSERVER]: { key: "observer", word: "Observer" },
  [Role.INTERPRETER]: { key: "interpreter", word: "Interpreter" },
  [Role.SUPPORTER]: { key: "supporter", word: "Child’s supporter" },
};

export function roleWord(role: Role): string {
  return ROLES[role].word;
}

/** Everybody who waits or is in; whoever was sent away is gone from here. */
export function renderPeople(session: Session): void {
  const there = session.participants.filter((one) => one.standing !== Standing.REMOVED);
  fill(get("people"), there.map(item));
  const waiting = there.filter((one) => one.standing === Standing.WAITING).map((one) => roleWord(one.role));
  // Whoever works on something else beside the video is told of it there.
  const open = waiting.length > 0 ? `${waiting.length} waiting` : "";
  // There is room for the number; the rest is for who hears it.
  if (get("call-open").textContent !== open) get("call-open").replaceChildren(...(open ? [String(waiting.length), make("span", " waiting", { class: "govuk-visually-hidden" })] : []));
  say("waiting", waiting.length > 0 ? `Waiting to be let in: ${waiting.join(", ")}.` : "");
  say("doubt", callerWaits(session) ? "Many wrong codes were tried. Ask on the phone line whether it is them, then let them in." : "");
}

/** A caller waits only if their code may have been guessed. */
function callerWaits(session: Session): boolean {
  return session.participants.some((one) => one.role === Role.CALLER && one.standing === Standing.WAITING);
}

function item(one: Participant): HTMLElement {
  const waits = one.standing === Standing.WAITING;
  const li = make("li", "", {
    "data-role": ROLES[one.role].key,
    "data-standing": waits ? "waiting" : "in",
    "data-connected": String(one.connected || one.watching),
  });
  const name = one.officerId && one.role !== Role.OFFICER ? `${roleWord(one.role)} ${one.officerId}` : roleWord(one.role);
  li.append(make("span", `${name}: ${waits ? "waiting" : doing(one)}`));
  if (waits) li.append(button(one, "admit", "Let in"));
  // The caller is not one slip of the mouse away from the street: their call is ended, and that is asked twice. One who waits is asked in anew.
  const guest = one.role !== Role.OFFICER && (one.role !== Role.CALLER || waits);
  if (guest) li.append(button(one, "remove", waits ? "Turn away" : "Send away"));
  return li;
}

function doing(one: Participant): string {
  if (one.role === Role.OBSERVER) return one.watching ? "watching" : "not watching";
  return one.connected ? "connected" : "not connected";
}

function button(one: Participant, act: string, words: string): HTMLElement {
  return make("button", words, {
    type: "button",
    class: "govuk-button govuk-button--secondary",
    "data-act": act,
    "data-participant": one.participantId,
    "aria-label": `${words}: ${roleWord(one.role)}`,
  });
}
