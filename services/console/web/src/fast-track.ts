// Somebody is to be sent: the officer asks the control room, in two presses. Asked until it is answered, and said aloud to nobody.
import { type Api, type Officer, requestId, surely, words } from "./api";
import { get, say } from "./dom";
import { placeOf } from "./place";
import { chosen, openAsk, renderFastTrack, renderReasons } from "./view/fast-track";
import { addMark } from "./view/timeline";

/** Longer than for anything else: there is nobody else to ask. */
const TRIES = 20;

export class FastTracks {
  constructor(
    private readonly api: Api,
    private readonly officer: Officer,
    private readonly callId: string,
  ) {
    renderFastTrack({ fastTracks: [] });
  }

  async ask(what: { reason: string; risk: number }): Promise<void> {
    const request = { requestId: requestId(), ...placeOf(this.officer), callId: this.callId, ...what };
    try {
      say("call-trouble", "");
      await surely(() => this.api.session.requestFastTrack(request), TRIES);
      addMark("help", "Somebody asked for");
    } catch (error) {
      say("call-trouble", `The control room was not reached: ring them. ${words(error)}`);
    }
  }
}

/** The button, and what it asks, for whichever call there is. */
export function followFastTrack(current: () => FastTracks | undefined): void {
  renderReasons();
  const dialog = get<HTMLDialogElement>("fast-track-ask");
  get("fast-track").addEventListener("click", () => openAsk());
  get("fast-track-leave").addEventListener("click", () => dialog.close());
  get("fast-track-form").addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close();
    void current()?.ask(chosen());
  });
}
