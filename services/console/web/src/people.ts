// Who comes into a call and who goes: codes and links, who waits and is let in, who is sent away.
import { Code, ConnectError } from "@connectrpc/connect";
import { type Api, type Officer, reasonOf, requestId, surely, words } from "./api";
import { say } from "./dom";
import { e164 } from "./format";
import { type IssueInvitationResponse, Role, Way } from "./gen/alcove/session/v1/service_pb";
import { placeOf } from "./place";
import { invitedRole, renderCode, renderWithdrawn } from "./view/call";
import { askForNumber } from "./view/text";

export class People {
  constructor(
    private readonly api: Api,
    private readonly officer: Officer,
    private readonly callId: string,
    private readonly left: AbortSignal,
  ) {}

  /** A new code, by default for whom the last one was; the one before it works no more. */
  async invite(role: Role = invitedRole()): Promise<void> {
    const request = { requestId: requestId(), ...this.who(), role };
    const refused = (error: unknown) => {
      // The caller was quicker.
      if (ConnectError.from(error).code !== Code.FailedPrecondition) this.trouble(error);
    };
    await this.ask(() => this.api.session.issueInvitation(request), (invitation) => renderCode(invitation, role), refused);
  }

  /** Takes back the code on the card: nobody gets in by it any more. */
  async withdraw(): Promise<void> {
    const role = invitedRole();
    const request = { requestId: requestId(), ...this.who(), role };
    await this.ask(() => this.api.session.revokeInvitation(request), ({ revokedAt }) => renderWithdrawn(role, revokedAt !== undefined));
  }

  /** Sends the caller a link: to the number they rang from, or to this one if that was withheld. A new code goes with it. */
  async text(typed: string): Promise<void> {
    const request = { requestId: requestId(), ...this.who(), role: Role.CALLER, way: Way.SMS, toNumber: e164(typed) };
    const sent = (invitation: IssueInvitationResponse) => {
      renderCode(invitation, Role.CALLER);
      askForNumber(false);
    };
    const refused = (error: unknown) => (reasonOf(error) === "NO_NUMBER" ? askForNumber(true) : this.trouble(error));
    await this.ask(() => this.api.session.issueInvitation(request), sent, refused);
  }

  /** Lets in somebody who waits. */
  async admit(participantId: string): Promise<void> {
    const request = { requestId: requestId(), ...this.who(), participantId };
    await this.ask(() => this.api.session.admitParticipant(request));
  }

  /** Sends somebody away, or turns away who waits. */
  async remove(participantId: string): Promise<void> {
    const request = { requestId: requestId(), ...this.who(), participantId };
    await this.ask(() => this.api.session.removeParticipant(request));
  }

  /** What is answered after the call was left is of no card that is there now. */
  private async ask<T>(
    send: () => Promise<T>,
    done: (answer: T) => void = () => {},
    refused: (error: unknown) => void = (error) => this.trouble(error),
  ): Promise<void> {
    try {
      const answer = await surely(send);
      if (this.left.aborted) return;
      done(answer);
      say("call-trouble", "");
    } catch (error) {
      if (!this.left.aborted) refused(error);
    }
  }

  private who() {
    return { ...placeOf(this.officer), callId: this.callId };
  }

  private trouble(error: unknown): void {
    say("call-trouble", words(error));
  }
}
