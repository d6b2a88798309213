// A call is given to somebody else by a sergeant: one that waits, or one that an officer has.
import { type Api, type Officer, requestId, surely, words } from "./api";
import { get, say } from "./dom";
import type { OfficerAtDesk } from "./gen/alcove/transfer/v1/service_pb";
import { placeOf } from "./place";
import { given, openGive, renderGive, renderReason } from "./view/reassign";

export class Reassign {
  private officers: OfficerAtDesk[] = [];
  /** Of each call that somebody has: everybody who was seen with it, now or before. */
  private had = new Map<string, Set<string>>();

  constructor(
    private readonly api: Api,
    private readonly officer: Officer,
  ) {}

  heard(officers: OfficerAtDesk[]): void {
    this.officers = officers;
    const calls = officers.filter((one) => one.callId !== "" && !one.isOffer);
    this.had = new Map(calls.map(({ callId, officerId }) => [callId, new Set([...this.hadIt(callId), officerId])]));
    renderGive(officers, this.hadIt(get("give").dataset.call));
  }

  private hadIt(callId = ""): Set<string> {
    return this.had.get(callId) ?? new Set();
  }

  ask(callId: string, what: string, waits: boolean): void {
    openGive(callId, what, waits, this.officers, this.hadIt(callId));
  }

  async give(what: { callId: string; toOfficerId: string; reason: string }): Promise<void> {
    try {
      const request = { requestId: requestId(), ...placeOf(this.officer), ...what };
      const { expiresAt } = await surely(() => this.api.transfer.reassignCall(request));
      get<HTMLDialogElement>("give").close();
      say("overview-said", expiresAt ? `Offered to ${what.toOfficerId}, and to nobody else meanwhile.` : `${what.toOfficerId} has the call. Who had it stays until they are in it.`);
    } catch (error) {
      say("give-trouble", words(error));
    }
  }
}

export function followReassign(current: () => Reassign | undefined): void {
  const dialog = get<HTMLDialogElement>("give");
  const asked = (event: Event) => {
    const button = (event.target as HTMLElement).closest<HTMLButtonElement>("button[data-act=give]");
    if (button) current()?.ask(button.dataset.call ?? "", button.dataset.officer ? `${button.dataset.officer} has it now.` : `It waits: ${button.dataset.what}.`, !button.dataset.officer);
  };
  for (const list of ["officers", "overview-rows"]) get(list).addEventListener("click", asked);
  get("give-leave").addEventListener("click", () => dialog.close());
  get("give-why").addEventListener("change", renderReason);
  get("give-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const what = given();
    if (!what.reason) return get("give-words").focus();
    const button = get<HTMLButtonElement>("give-go");
    button.disabled = true;
    await current()?.give(what);
    button.disabled = false;
  });
}
