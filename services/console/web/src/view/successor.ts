// Somebody else is to take the call over: whoever has it stays with the caller until they are in it.
import { get, say } from "../dom";
import { Role, type Session, Standing } from "../gen/alcove/session/v1/service_pb";

/** `officerId`: who has the call; empty for whoever only watches it. */
export function renderSuccessor({ successorOfficerId }: Pick<Session, "successorOfficerId">, officerId: string): void {
  const awaited = officerId !== "" && successorOfficerId !== "" && successorOfficerId !== officerId;
  get("successor").hidden = !awaited;
  say("successor", awaited ? `${successorOfficerId} takes this call over. Tell the caller, and stay: as soon as they are in it, you leave it by yourself.` : "");
}

/** Whoever had it is sent away when the one who has it now is in. */
export function isHandedOver({ participants }: Pick<Session, "participants">, officerId: string): boolean {
  const ours = participants.filter((one) => one.role === Role.OFFICER && one.officerId === officerId);
  return ours.length > 0 && ours.every((one) => one.standing === Standing.REMOVED);
}
