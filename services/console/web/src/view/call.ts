// The call on screen: the session's state, the code, the people. What is done about it is in ../call.ts.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { get, make, say } from "../dom";
import { duration, SESSION, spoken } from "../format";
import { type IssueInvitationResponse, Role, type Session, SessionState } from "../gen/alcove/session/v1/service_pb";

let expires: Date | undefined;

export function clearCall(callId: string): void {
  const call = get("call");
  call.dataset.state = "preparing";
  call.dataset.call = callId;
  say("call-state", SESSION[SessionState.UNSPECIFIED].words);
  say("call-trouble", "");
  say("screen-held", "");
  get("recording").hidden = true;
  get("people").replaceChildren();
  get<HTMLButtonElement>("end").disabled = true;
  renderCode(undefined);
  screen(null);
}

export function renderSession(session: Session): void {
  const { key, words } = SESSION[session.state];
  get("call").dataset.state = key;
  say("call-state", words);
  get<HTMLButtonElement>("end").disabled = session.state === SessionState.ENDED;

  const recording = get("recording");
  recording.hidden = false;
  recording.dataset.recording = session.recording ? "yes" : "no";
  say("recording", session.recording ? "Recording" : "Not recorded: the caller refused");

  const joined = session.participants.some((one) => one.role === Role.CALLER && one.connected);
  // A code can be had only while nobody has used one.
  get("code-card").hidden = session.state !== SessionState.INVITED && session.state !== SessionState.UNSPECIFIED;
  if (!joined) say("screen-words", session.state === SessionState.INVITED ? "The caller has not joined yet." : "The caller’s picture is not here. Waiting for it…");
  get("people").replaceChildren(
    ...session.participants.map((one) =>
      make("li", `${one.role === Role.CALLER ? "Caller" : "Officer"}: ${one.connected ? "connected" : "not connected"}`, {
        "data-role": one.role === Role.CALLER ? "caller" : "officer",
        "data-connected": String(one.connected),
      }),
    ),
  );
}

export function renderCode(invitation: IssueInvitationResponse | undefined): void {
  const card = get("code-card");
  card.dataset.state = invitation ? "shown" : "none";
  expires = invitation?.expiresAt ? timestampDate(invitation.expiresAt) : undefined;
  say("code", invitation?.code ?? "");
  say("code-spoken", invitation ? spoken(invitation.code) : "");
  say("code-page", invitation?.pageUrl.replace(/^https?:\/\//, "").replace(/\/$/, "") ?? "");
  card.querySelector<HTMLElement>(".where")!.hidden = !invitation;
  say("code-left", invitation ? "" : "If a code was read out already it still works. A new one replaces it.");
  tickCode();
}

export function tickCode(): void {
  if (!expires) return;
  const left = expires.getTime() - Date.now();
  say("code-left", left > 0 ? `Good for ${duration(left)} more, and for one use.` : "This code is no longer good.");
  get("code-card").dataset.state = left > 0 ? "shown" : "expired";
}

/** The caller's picture, or none. */
export function screen(stream: MediaStream | null): void {
  const video = get<HTMLVideoElement>("caller");
  if (video.srcObject !== stream) video.srcObject = stream;
  if (!stream) get("screen").dataset.playing = "no";
}
