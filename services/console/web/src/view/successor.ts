// Somebody else is to take the call over: whoever has it stays with the caller until they are in it.
import { get, say } from "../dom";
import { Role, type Session, Standing } from "../gen/alcove/session/v1/service_pb";

/** `officerId`: who has the call; empty for whoever only watches it. */
export function renderSuccessor({ successorOfficerId }: Pick<Session, "successorOfficerId">, officerId: string): void {
  const awaited = officerId !== "" && successorOfficerId !== "" && successorOfficerId !== officerId;
  get("successor").hidden = !awaited;
  say("successor", awaited ? `${successorOfficerId} takes this call over. Tell the caller, and stay: as soon as they are in it, you leave it by yourself.` : "");
}

/** Whether they are in it as its officer. */
export function isPlaced({ participants }: Pick<Session, "participants">, officerId: string): boolean {
  return participants.some((one) => one.role === Role.OFFICER && one.officerId === officerId && one.standing === Standing.IN);
}
