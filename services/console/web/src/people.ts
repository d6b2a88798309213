// Who comes into a call and who goes: codes and links, who waits and is let in, who is sent away.
import { Code, ConnectError } from "@connectrpc/connect";
import { type Api, type Officer, reasonOf, requestId, surely, words } from "./api";
import { say } from "./dom";
import { e164 } from "./format";
import { Role, Way } from "./gen/alcove/session/v1/service_pb";
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
    try {
      const request = { requestId: requestId(), ...this.who(), role };
      renderCode(await surely(() => this.api.session.issueInvitation(request)), role);
      say("call-trouble", "");
    } catch (error) {
      // The caller was quicker.
      if (ConnectError.from(error).code !== Code.FailedPrecondition) this.trouble(error);
    }
  }

  /** Takes back the code on the card: nobody gets in by it any more. */
  async withdraw(): Promise<void> {
    try {
      const role = invitedRole();
      const { revokedAt } = await surely(() => this.api.session.revokeInvitation({ requestId: requestId(), ...this.who(), role }));
      renderWithdrawn(role, revokedAt !== undefined);
      say("call-trouble", "");
    } catch (error) {
      this.trouble(error);
    }
  }

  /** Sends the caller a link: to the number they rang from, or to this one if that was withheld. A new code goes with it. */
  async text(typed: string): Promise<void> {
    try {
      const request = { requestId: requestId(), ...this.who(), role: Role.CALLER, way: Way.SMS, toNumber: e164(typed) };
      renderCode(await surely(() => this.api.session.issueInvitation(request)), Role.CALLER);
      askForNumber(false);
      say("call-trouble", "");
    } catch (error) {
      if (reasonOf(error) === "NO_NUMBER") askForNumber(true);
      else this.trouble(error);
    }
  }

  /** Lets in somebody who waits. */
  async admit(participantId: string): Promise<void> {
    try {
      const request = { requestId: requestId(), ...this.who(), participantId };
      await surely(() => this.api.session.admitParticipant(request));
      say("call-trouble", "");
    } catch (error) {
      this.trouble(error);
    }
  }

  /** Sends somebody away, or turns away who waits. */
  async remove(participantId: string): Promise<void> {
    try {
      const request = { requestId: requestId(), ...this.who(), participantId };
      await surely(() => this.api.session.removeParticipant(request));
      say("call-trouble", "");
    } catch (error) {
      this.trouble(error);
    }
  }

  private who() {
    return { ...placeOf(this.officer), callId: this.callId };
  }

  private trouble(error: unknown): void {
    if (!this.left.aborted) say("call-trouble", words(error));
  }
}
