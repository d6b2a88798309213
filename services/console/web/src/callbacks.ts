// Callers who are rung back: one is taken, rung on the officer's phone, and how it went is written down. Whoever was reached is in a call.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type Api, type Officer, requestId, surely, words } from "./api";
import { get, say } from "./dom";
import { CallbackOutcome } from "./gen/alcove/intake/v1/service_pb";
import type { Callback } from "./gen/alcove/transfer/v1/service_pb";
import { placeOf } from "./place";
import { chosenOutcome, closeRinging, openRinging, renderCallbacks, renderLeft, renderOutcomes } from "./view/callbacks";

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
    const button = (event.target as HTMLElement).closest<HTMLButtonElement>("button[data-callback]");
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
