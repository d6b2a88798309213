// A caller who waits is rung back instead: agreed with them by whoever speaks to them now. They leave the queue for it.
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type Api, type Officer, reasonOf, requestId, surely, words } from "./api";
import { get, say } from "./dom";
import { incident, span } from "./format";
import type { WaitingCall } from "./gen/alcove/transfer/v1/service_pb";
import { placeOf } from "./place";
import type { Faults } from "./view/fields";
import { tellAbove } from "./view/desk";
import { agreedLater, clearLater, openLater, refusedLater } from "./view/later";

const BY_FIELD: Record<string, Faults> = {
  OUTSIDE_OPENING_HOURS: { "later-from": "The desk is not open for all of that time." },
  INVALID_SAFE_WINDOW: { "later-until": "It is 10 minutes to 12 hours long, isn’t over, and begins within 14 days." },
  INVALID_NUMBER: { "later-number": "That is no phone number. Type it as you would dial it." },
  // Word and who may answer were looked at before: it is what they hold, or the language.
  INVALID_CALLBACK: { "later-word": "Word, who may answer or language can’t be taken. Write them in other words." },
};
const SAID: Record<string, string> = {
  UNKNOWN_CALL: "That call isn’t at the desk any more.",
  CALL_NOT_CALLABLE: "An officer has this call or had it, or the control room took it back. It can’t be rung back from here.",
  CALLBACK_AGREED: "A call-back is agreed for this call already.",
  INVALID_OFFICER: "The desk doesn’t take your id. Tell your sergeant.",
};

export class Later {
  private queue: WaitingCall[] = [];
  private left = false;

  constructor(
    private readonly api: Api,
    private readonly officer: Officer,
  ) {}

  heard(queue: WaitingCall[]): void {
    this.queue = queue;
  }

  ask(callId: string): void {
    const call = this.queue.find((one) => one.callId === callId);
    if (!call) return;
    told("");
    openLater(call);
  }

  async agree(): Promise<void> {
    const agreed = agreedLater();
    if (!agreed) return;
    const { from, until, ...what } = agreed;
    const dialog = get<HTMLDialogElement>("later");
    // An offer or Escape may have closed it meanwhile; then what is typed there, if anything, is of another call.
    const isAsked = () => dialog.open && dialog.dataset.call === what.callId;
    const call = this.queue.find((one) => one.callId === what.callId);
    const which = call?.incident ? ` of ${incident(call)}` : "";
    say("later-trouble", "");
    try {
      const request = { requestId: requestId(), ...placeOf(this.officer), ...what, from: timestampFromDate(from), until: timestampFromDate(until) };
      await surely(() => this.api.transfer.scheduleCallback(request));
      if (this.left) return;
      if (!isAsked()) return tellAbove(`The call-back${which} is agreed: ${span(from, until)}.`);
      dialog.close();
      clearLater();
      told(`The call-back is agreed: ${span(from, until)}.`);
    } catch (error) {
      if (this.left) return;
      const faults = BY_FIELD[reasonOf(error)];
      const why = SAID[reasonOf(error)] ?? words(error);
      if (!isAsked()) tellAbove(`The call-back${which} is not agreed. ${faults ? Object.values(faults).join(" ") : why}`);
      else if (faults) refusedLater(faults);
      else say("later-trouble", why);
    }
  }

  /** The desk, or the sign-in, is left. */
  leave(): void {
    this.left = true;
    get<HTMLDialogElement>("later").close();
    clearLater();
    told("");
  }
}

function told(words: string): void {
  for (const id of ["later-said", "overview-said"]) say(id, words);
}

export function followLater(current: () => Later | undefined): void {
  const dialog = get<HTMLDialogElement>("later");
  get("queue-rows").addEventListener("click", (event) => {
    const button = (event.target as HTMLElement).closest<HTMLButtonElement>("button[data-act=later]");
    if (button) current()?.ask(button.dataset.call ?? "");
  });
  get("give-later").addEventListener("click", () => {
    const { call = "" } = get("give").dataset;
    get<HTMLDialogElement>("give").close();
    current()?.ask(call);
  });
  get("later-leave").addEventListener("click", () => dialog.close());
  // However it was closed: nothing of it stays.
  dialog.addEventListener("close", () => {
    if (!dialog.open) clearLater();
  });
  get("later-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = get<HTMLButtonElement>("later-go");
    button.disabled = true;
    await current()?.agree();
    button.disabled = false;
  });
}
