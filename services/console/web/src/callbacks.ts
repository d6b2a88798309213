// Callers who are rung back: one is taken, rung on the officer's phone, and how it went is written down. Whoever was reached is in a call.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type Api, type Officer, reasonOf, requestId, surely, words } from "./api";
import { get, say } from "./dom";
import { CallbackOutcome } from "./gen/alcove/intake/v1/service_pb";
import type { Callback } from "./gen/alcove/transfer/v1/service_pb";
import { placeOf } from "./place";
import { sure } from "./sure";
import { chosenOutcome, closeRinging, openRinging, renderCallbacks, renderLeft, renderOutcomes } from "./view/callbacks";

const NOT_CANCELLED: Record<string, string> = {
  UNKNOWN_CALLBACK: "That call-back isn’t there any more.",
  CALLBACK_OVER: "That call-back is over already.",
  CALLBACK_TAKEN: "Somebody is ringing them just now.",
};

export class Callbacks {
  private left = false;
  private taken: { callbackId: string; until: Date } | undefined;

  /** `reached` is told the call that is the officer's now. */
  constructor(
    private readonly api: Api,
    private readonly officer: Officer,
    private readonly reached: (callId: string) => void,
  ) {}

  heard(callbacks: Callback[]): void {
    renderCallbacks(callbacks, this.officer.id);
  }

  async take(callbackId: string): Promise<void> {
    try {
      say("callbacks-trouble", "");
      const taken = await surely(() => this.api.transfer.takeCallback({ requestId: requestId(), ...this.who(), callbackId }));
      // Number and word are nobody's to see on the sign-in page. It is theirs for a while yet, and the list leads back to it.
      if (this.left) return;
      this.taken = { callbackId, until: taken.takenUntil ? timestampDate(taken.takenUntil) : new Date() };
      openRinging(taken);
      this.tick();
    } catch (error) {
      if (!this.left) say("callbacks-trouble", words(error));
    }
  }

  /** Nobody is to ring them. `what`: its window. */
  async cancel(callbackId: string, what: string): Promise<void> {
    const asked = { title: "Cancel this call-back?", words: `${what}. Nobody rings them then. If they still need help, they have to ring again.`, go: "Cancel the call-back" };
    if (!(await sure(asked)) || this.left) return;
    try {
      say("callbacks-trouble", "");
      await surely(() => this.api.transfer.cancelCallback({ requestId: requestId(), ...this.who(), callbackId }));
    } catch (error) {
      if (!this.left) say("callbacks-trouble", NOT_CANCELLED[reasonOf(error)] ?? words(error));
    }
  }

  async record(outcome: CallbackOutcome): Promise<void> {
    if (!this.taken) return;
    const { callbackId } = this.taken;
    try {
      const request = { requestId: requestId(), ...this.who(), callbackId, outcome };
      const { callId } = await surely(() => this.api.transfer.recordCallbackAttempt(request));
      if (this.left) return;
      this.close();
      if (callId) this.reached(callId);
    } catch (error) {
      say("ringing-trouble", words(error));
    }
  }

  /** Once a second. When it is no longer ours, number and word aren't either. */
  tick(now = Date.now()): void {
    if (!this.taken) return;
    if (now < this.taken.until.getTime()) return renderLeft(this.taken.until, now);
    this.close();
    say("callbacks-trouble", "The time to ring them is over, and nothing was written down. Take it again if it is still due.");
  }

  /** The sign-in is over. */
  leave(): void {
    this.left = true;
    this.close();
  }

  close(): void {
    this.taken = undefined;
    closeRinging();
  }

  private who() {
    return placeOf(this.officer);
  }
}

export function followCallbacks(current: () => Callbacks | undefined): void {
  renderOutcomes();
  get("callback-rows").addEventListener("click", async (event) => {
    const pressed = event.target as HTMLElement;
    const { cancel, what = "" } = pressed.closest<HTMLElement>("button[data-cancel]")?.dataset ?? {};
    if (cancel) return current()?.cancel(cancel, what);
    const button = pressed.closest<HTMLButtonElement>("button[data-callback]");
    if (!button) return;
    button.disabled = true;
    await current()?.take(button.dataset.callback ?? "");
    button.disabled = false;
  });
  // It is left by writing down how it went: somebody waits for that.
  get("ringing").addEventListener("keydown", (event) => {
    if (event.key === "Escape") event.preventDefault();
  });
  get("ringing").addEventListener("cancel", (event) => event.preventDefault());
  // However it was closed: what it showed doesn't stay, and the list leads back to it.
  get("ringing").addEventListener("close", () => current()?.close());
  get("ringing-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = get<HTMLButtonElement>("ringing-write");
    button.disabled = true;
    await current()?.record(chosenOutcome());
    button.disabled = false;
  });
  setInterval(() => current()?.tick(), 1000);
}
