// A way in by text message on screen: how the message fares, and where a number is typed. What is done about it is in ../people.ts.
import { get, say } from "../dom";
import { type Invitation, TextState, Way } from "../gen/alcove/session/v1/service_pb";

const FAILURES: Record<string, string> = {
  NUMBER_UNKNOWN: "Not sent: there is no such number.",
  UNREACHABLE: "Not delivered: their phone is off, or out of reach.",
  REFUSED: "Not sent: the message was refused. Read the code out instead.",
  MESSAGES_READ: "Not sent: somebody else may read their messages. Read the code out instead.",
  PROVIDER_AWAY: "Not sent: text messages can’t be sent at the moment. Read the code out instead.",
  EXPIRED: "Not sent: the code was used or replaced first.",
};

const SEND = "Send a link by text message";
const AGAIN = "Send it again, with a new code";

export function clearText(): void {
  askForNumber(false);
  renderText(undefined);
}

/** How the newest invitation fares, if it went by text message. */
export function renderText(invitation: Invitation | undefined): void {
  const isText = invitation?.way === Way.SMS;
  say("text-state", isText ? words(invitation) : "");
  get("text-state").dataset.state = isText ? TextState[invitation.state].toLowerCase() : "none";
  say("text", isText ? AGAIN : SEND);
}

/** Has the officer type a number: nobody else knows it. */
export function askForNumber(isNeeded: boolean): void {
  get("text-to").hidden = !isNeeded;
  const field = get<HTMLInputElement>("text-number");
  field.value = "";
  if (isNeeded) field.focus();
}

function words({ state, tries, failure }: Invitation): string {
  switch (state) {
    case TextState.SENDING:
      return tries > 1 ? `The message isn’t taken yet. Trying again (${tries} times so far)…` : "Sending the message…";
    case TextState.SENT:
      return "The message is sent. Waiting to hear that it is on their phone…";
    case TextState.DELIVERED:
      return "The message is on their phone.";
    case TextState.FAILED:
      return FAILURES[failure] ?? "The message was not sent. Read the code out instead.";
    default:
      return "";
  }
}
