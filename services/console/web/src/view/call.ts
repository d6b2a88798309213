// The call on screen: the session's state, the code, the people. What is done about it is in ../call.ts.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { get, say } from "../dom";
import { duration, SESSION, spoken } from "../format";
import { type IssueInvitationResponse, Role, type Session, SessionState } from "../gen/alcove/session/v1/service_pb";
import type { Picture } from "../media";
import { clearCover, renderPretexts } from "./cover";
import { renderDuress } from "./duress";
import { renderPeople, roleWord } from "./people";
import { clearRecording, renderRecording, renderStills } from "./recording";
import { clear } from "./rows";
import { renderSilence } from "./silence";
import { clearText, renderText } from "./text";

let expires: Date | undefined;
let session: Session | undefined;
/** Whom the code on the card is for, and how many of them there were before. */
let invited = { role: Role.CALLER, before: 0 };

export function clearCall(callId: string): void {
  const call = get("call");
  call.dataset.state = "preparing";
  call.dataset.call = callId;
  say("call-state", SESSION[SessionState.UNSPECIFIED].words);
  say("call-trouble", "");
  say("screen-held", "");
  clearRecording();
  clearCover();
  renderSilence(false);
  renderDuress(undefined);
  clear(get("people"));
  say("waiting", "");
  say("doubt", "");
  get<HTMLButtonElement>("end").disabled = true;
  session = undefined;
  renderCode(undefined);
  clearText();
  screens([]);
}

export function renderSession(now: Session): void {
  session = now;
  const { key, words } = SESSION[session.state];
  get("call").dataset.state = key;
  say("call-state", words);
  get<HTMLButtonElement>("end").disabled = session.state === SessionState.ENDED;

  renderRecording(session.recordingState);
  renderStills(session);
  renderPretexts(session);
  renderText(session.invitation);

  const used = invited.role === Role.CALLER ? callerIsHere() : count(invited.role) > invited.before;
  if (used) renderCode(undefined);
  showCard();
  if (!callerIsHere()) say("screen-words", session.state === SessionState.INVITED ? "The caller has not joined yet." : "The caller’s picture is not here. Waiting for it…");
  renderPeople(session);
}

/** Whom the code on the card is for. */
export function invitedRole(): Role {
  return invited.role;
}

function count(role: Role): number {
  return session?.participants.filter((one) => one.role === role).length ?? 0;
}

function callerIsHere(): boolean {
  return session?.participants.some((one) => one.role === Role.CALLER && one.connected) ?? false;
}

/**
 * The caller's code can be had while they aren't here: nobody has come yet, or somebody whose phone has lost the page. Another's is there
 * until somebody has used it.
 */
function showCard(): void {
  const ended = session?.state === SessionState.ENDED;
  get("code-card").hidden = (ended || callerIsHere()) && invited.role === Role.CALLER;
}

function withoutCode(): string {
  return session && session.state !== SessionState.INVITED
    ? "If their page doesn’t come back by itself, a new code lets them in again."
    : "If a code was read out already it still works. A new one replaces it.";
}

export function renderCode(invitation: IssueInvitationResponse | undefined, role = Role.CALLER): void {
  const card = get("code-card");
  invited = { role, before: count(role) };
  get("by-text").hidden = role !== Role.CALLER;
  say("code-title", role === Role.CALLER ? "Read it out" : `Read it out: ${roleWord(role).toLowerCase()}`);
  showCard();
  card.dataset.state = invitation ? "shown" : "none";
  get("withdraw").hidden = !invitation;
  expires = invitation?.expiresAt ? timestampDate(invitation.expiresAt) : undefined;
  say("code", invitation?.code ?? "");
  say("code-spoken", invitation ? spoken(invitation.code) : "");
  say("code-page", invitation?.pageUrl.replace(/^https?:\/\//, "").replace(/\/$/, "") ?? "");
  card.querySelector<HTMLElement>(".where")!.hidden = !invitation;
  say("code-left", invitation ? "" : withoutCode());
  tickCode();
}

/** What became of the code that was to be withdrawn. */
export function renderWithdrawn(role: Role, wasThere: boolean): void {
  renderCode(undefined, role);
  say("code-left", wasThere ? "The code is withdrawn: nobody gets in by it." : "There was no code to withdraw: it was used or had run out.");
}

export function tickCode(): void {
  if (!expires) return;
  const left = expires.getTime() - Date.now();
  say("code-left", left > 0 ? `Good for ${duration(left)} more, and for one use.` : "This code is no longer good.");
  get("code-card").dataset.state = left > 0 ? "shown" : "expired";
}

/** The caller's picture in the middle, and everybody else's below it. */
export function screens(pictures: Picture[]): void {
  const guest = pictures.find((one) => one.role === "guest");
  const caller = guest?.stream ?? null;
  const video = get<HTMLVideoElement>("caller");
  if (video.srcObject !== caller) video.srcObject = caller;
  video.dataset.participant = guest?.participantId ?? "";
  if (!caller) get("screen").dataset.playing = "no";

  const others = get("others");
  const shown = new Map([...others.querySelectorAll("video")].map((one) => [one.dataset.participant, one]));
  const wanted = pictures.filter((one) => one.role !== "guest").map(({ participantId, stream }) => {
    const known = shown.get(participantId) ?? document.createElement("video");
    known.dataset.participant = participantId;
    known.autoplay = known.playsInline = true;
    known.setAttribute("aria-label", "Another person in the call");
    if (known.srcObject !== stream) known.srcObject = stream;
    return known;
  });
  // A video that is moved stops: only what changes is touched.
  for (const one of shown.values()) if (!wanted.includes(one)) one.remove();
  for (const one of wanted) if (!one.isConnected) others.append(one);
}
