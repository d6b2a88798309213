// The end of a call as its officer wants it: ended, or given back to the control room with a reason that is kept.
import { get, say } from "./dom";
import { openClosing, renderClosing, whyBack } from "./view/closing";

/** As much of a call as is needed to end it. Each says why it was not done, if it was not. */
export interface Ends {
  end(): Promise<string | undefined>;
  giveBack(reason: string): Promise<string | undefined>;
}

export function followEnding(current: () => Ends | undefined): void {
  const dialog = get<HTMLDialogElement>("confirm");
  get("end").addEventListener("click", () => openClosing());
  get("confirm-stay").addEventListener("click", () => dialog.close());
  get("confirm-form").addEventListener("change", () => renderClosing());
  get("confirm-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const reason = whyBack();
    if (reason === "") return get("back-words").focus();
    const button = get<HTMLButtonElement>("confirm-end");
    button.disabled = true;
    const refused = await (reason === undefined ? current()?.end() : current()?.giveBack(reason));
    button.disabled = false;
    // A refusal is said where they look, and they may choose again.
    if (refused) say("confirm-trouble", refused);
    else dialog.close();
  });
}
